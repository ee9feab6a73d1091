package ingress

import (
	"math/rand/v2"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
)

func TestNET3_CheckHost(t *testing.T) {
	label := func(n int) string { return strings.Repeat("a", n) }
	longest := strings.Join([]string{label(63), label(63), label(63), label(61)}, ".")
	for _, c := range []struct{ host, words string }{
		{"api.example.com", ""},
		{"orders-db-rec-ns.apps.example.com", ""},
		{"1.a", ""},
		{"single", ""},
		{label(63) + ".example.com", ""},
		{longest, ""},
		{"", "missing"},
		{longest + "a", "has 254 characters; DNS allows at most 253"},
		{label(64) + ".example.com", "has 64 characters; DNS allows at most 63"},
		{"x." + label(71) + ".example.com", "has 71 characters"},
		{"https://api.example.com", "leave out"},
		{"api.example.com:443", "leave out"},
		{"api.example.com/", "leave out"},
		{"::1", "leave out"},
		{"10.0.0.1", "is an address"},
		{"*.example.com", "wildcard"},
		{"*-db.example.com", "wildcard"},
		{"API.example.com", "lower case"},
		{"a_b.example.com", `"a_b" is no DNS label`},
		{"-a.example.com", "is no DNS label"},
		{"a-.example.com", "is no DNS label"},
		{"a..example.com", "is no DNS label"},
		{"api.example.com.", "is no DNS label"},
		{".example.com", "is no DNS label"},
		{"a b.example.com", "is no DNS label"},
		{"bücher.example.com", "is no DNS label"},
	} {
		err := CheckHost("spec.x", c.host)
		switch {
		case c.words == "" && err != nil:
			t.Errorf("%q is refused: %v", c.host, err)
		case c.words != "" && (err == nil || !strings.Contains(err.Error(), c.words) || !strings.HasPrefix(err.Error(), "spec.x: ")):
			t.Errorf("%q: %v", c.host, err)
		}
	}
}

// What is let through must be a name for every method: the strictest of the API servers' own rules are asked.
func TestNET3_NoHostSlipsThrough(t *testing.T) {
	const letters = "ab09-._*:/ÄA "
	alphabet := []rune(letters)
	random := rand.New(rand.NewPCG(1, 2)) // the same hosts each time
	accepted := 0
	for range 200_000 {
		var b strings.Builder
		for range 1 + random.IntN(12) {
			// Mostly letters that may be there, or nothing would come through.
			n := len(alphabet)
			if random.IntN(4) > 0 {
				n = 6
			}
			b.WriteRune(alphabet[random.IntN(n)])
		}
		host := b.String()
		if random.IntN(8) == 0 {
			host += strings.Repeat("x", 50+random.IntN(20)) + strings.Repeat(".y"+host, random.IntN(40))
		}
		err := CheckHost("p", host)
		valid := len(validation.IsDNS1123Subdomain(host)) == 0
		for l := range strings.SplitSeq(host, ".") {
			valid = valid && len(l) <= 63
		}
		if err == nil {
			accepted++
		}
		address := strings.Count(host, ".") == 3 && strings.Trim(host, "0123456789.") == ""
		if (err == nil) != valid && !address {
			t.Fatalf("%q: %v", host, err)
		}
	}
	if accepted < 1000 {
		t.Errorf("only %d of the hosts were good: the test proves little", accepted)
	}
}
