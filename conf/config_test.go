package conf

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

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
