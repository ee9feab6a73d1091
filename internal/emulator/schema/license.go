package schema

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// Licence texts of the product are signed; nobody else can make one. The emulator has a form of its own, with the same
// header line style, whose payload says what the licence grants.
const (
	licenseHead = "----- LICENSE START -----"
	licenseFoot = "----- LICENSE END -----"
)

// LicenseText makes a licence that ReadLicense accepts.
func LicenseText(license Object) (string, error) {
	payload, err := json.Marshal(license)
	if err != nil {
		return "", err
	}
	return licenseHead + "\n" + base64.StdEncoding.EncodeToString(payload) + "\n" + licenseFoot + "\n", nil
}

// ReadLicense reads a licence text. It must be in force at now and, when it names a cluster, be for that cluster.
func ReadLicense(text, clusterName string, now time.Time) (Object, error) {
	body := strings.TrimSpace(text)
	body, hasHead := strings.CutPrefix(body, licenseHead)
	body, hasFoot := strings.CutSuffix(body, licenseFoot)
	if !hasHead || !hasFoot {
		return nil, badLicense("License is malformed")
	}
	payload, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(body), ""))
	if err != nil {
		return nil, badLicense("License is malformed")
	}
	var granted Object
	if err := json.Unmarshal(payload, &granted); err != nil {
		return nil, badLicense("License signature is not valid")
	}
	license := TrialLicense(clusterName, now)
	for _, key := range []string{
		"cluster_name", "owner", "key", "activation_date", "expiration_date", "features", "shards_limit",
		"ram_shards_limit", "flash_shards_limit",
	} {
		if v, there := granted[key]; there {
			license[key] = wholeNumbers(v)
		}
	}
	license["license"] = text
	if name := TextOf(license, "cluster_name"); name != "" && name != clusterName {
		return nil, badLicense("License is for another cluster")
	}
	return license, nil
}

func badLicense(description string) error {
	return Errorf(400, "invalid_license", "%s", description)
}
