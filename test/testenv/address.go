package testenv

import (
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
)

// freePorts picks an address and ports on it. The ports are free now and used a
// moment later; on an address that nobody else is likely to use, nobody comes
// in between. Only Linux answers on all of 127.0.0.0/8.
func freePorts(count int) (string, []string, error) {
	address := "127.0.0.1"
	if runtime.GOOS == "linux" {
		address = fmt.Sprintf("127.%d.%d.%d", 100+rand.IntN(100), rand.IntN(256), 1+rand.IntN(254))
	}
	var ports []string
	for range count {
		listener, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
		if err != nil {
			return "", nil, err
		}
		defer func() { _ = listener.Close() }() // all stay open until all are chosen
		_, port, err := net.SplitHostPort(listener.Addr().String())
		if err != nil {
			return "", nil, err
		}
		ports = append(ports, port)
	}
	return address, ports, nil
}
