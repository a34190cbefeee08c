package conf

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestOpenDoors: what others than this machine could reach starts only when that is said.
func TestOpenDoors(t *testing.T) {
	real := SMS{AccessKeyID: "id", AccessKeySecret: "key", SignName: "sign"}
	for _, x := range []struct {
		what   string
		change func(*Config)
		refuse string // part of the refusal; empty: it starts
	}{
		{"a newcomer", func(*Config) {}, ""},
		{"localhost", func(c *Config) { c.Addr, c.PublicURL = "localhost:8080", "http://localhost:8080" }, ""},
		{"IPv6", func(c *Config) { c.Addr, c.PublicURL = "[::1]:8080", "http://[::1]:8080" }, ""},
		{"sandbox behind https", func(c *Config) { c.PublicURL = "https://dangjian.example" }, "SANDBOX=true"},
		{"sandbox behind https on this machine", func(c *Config) { c.PublicURL = "https://127.0.0.1" }, "SANDBOX=true"},
		{"sandbox at a public address", func(c *Config) { c.PublicURL = "http://dangjian.example" }, "SANDBOX=true"},
		{"sandbox on all interfaces", func(c *Config) { c.Addr = "0.0.0.0:8080" }, "SANDBOX=true"},
		{"sandbox on all interfaces, unsaid", func(c *Config) { c.Addr = ":8080" }, "SANDBOX=true"},
		{"sandbox meant", func(c *Config) { c.Addr, c.OpenSandbox = ":8080", true }, ""},
		{"sandbox meant beside credentials", func(c *Config) { c.SMS, c.OpenSandbox = real, true }, "cannot stand beside"},
		{"PLUS-56 rpc on all interfaces", func(c *Config) { c.RPCAddr = "0.0.0.0:0" }, "DATA_KEY"},
		{"PLUS-56 rpc on all interfaces, unsaid", func(c *Config) { c.RPCAddr = ":9000" }, "DATA_KEY"},
		{"PLUS-56 rpc on all interfaces with a key", func(c *Config) { c.RPCAddr, c.DataKey = ":9000", strings.Repeat("k9", 16) }, ""},
	} {
		t.Run(x.what, func(t *testing.T) {
			c := Default()
			c.PublicURL = "http://" + c.Addr
			x.change(&c)
			err := c.Validate()
			if (err == nil) != (x.refuse == "") || err != nil && !strings.Contains(err.Error(), x.refuse) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestSecret draws a key once, however many first starts there are at once.
func TestSecret(t *testing.T) {
	cfg := Default()
	cfg.Data = filepath.Join(t.TempDir(), "data")
	var all sync.WaitGroup
	var keys [8][]byte
	drawn := make(chan string, len(keys))
	for i := range keys {
		all.Go(func() {
			key, fresh, err := cfg.Secret()
			if err != nil {
				t.Error(err)
			}
			if keys[i] = key; fresh != "" {
				drawn <- fresh
			}
		})
	}
	all.Wait()
	if len(drawn) != 1 {
		t.Errorf("%d drew a key", len(drawn))
	}
	for _, key := range keys {
		if len(key) != 64 || !bytes.Equal(key, keys[0]) {
			t.Errorf("%q beside %q", key, keys[0])
		}
	}
	left, err := os.ReadDir(cfg.Data)
	if err != nil || len(left) != 1 {
		t.Errorf("left %v, %v", left, err)
	}
	if info, err := os.Stat(filepath.Join(cfg.Data, "data.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
}

// TestHalf gives real credentials of one of the two outside systems: refused at the start, with
// a sentence that names what is missing.
func TestHalf(t *testing.T) {
	base := Default()
	base.PublicURL, base.DataKey = "https://dj.example.org", "7f3a9c51e0b84d26935ac7d1f208e64b"
	wechat, aliyun := WeChat{AppID: "wx1", AppSecret: "s"}, SMS{AccessKeyID: "id", AccessKeySecret: "s", SignName: "智慧党建"}
	for name, c := range map[string]struct {
		wechat WeChat
		sms    SMS
		says   string
	}{
		"WeChat without Aliyun": {wechat, SMS{}, "WECHAT_* is given without ALIYUN_*"},
		"Aliyun without WeChat": {WeChat{}, aliyun, "ALIYUN_* is given without WECHAT_*"},
		"both":                  {wechat, aliyun, ""},
	} {
		cfg := base
		cfg.WeChat, cfg.SMS = c.wechat, c.sms
		err := cfg.Validate()
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	weak := Default()
	weak.MetricsToken = "short"
	if err := weak.Validate(); err == nil || !strings.Contains(err.Error(), "METRICS_TOKEN") {
		t.Error(err)
	}
}
