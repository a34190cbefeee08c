// Package conf is the product's configuration: typed, with safe defaults, read from the
// environment and checked before anything starts. README.md has the table.
package conf

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/v2"
)

// Config is everything that can be set. The koanf tag is the environment variable in
// lower case.
type Config struct {
	Addr           string   `koanf:"addr"`            // ADDR, where the BFF listens
	Data           string   `koanf:"data"`            // DATA, directory of the embedded store and of generated secrets
	TrustedProxies []string `koanf:"trusted_proxies"` // TRUSTED_PROXIES, CIDRs of the proxies before the BFF, comma-separated; loopback by default
	PublicURL      string   `koanf:"public_url"`      // PUBLIC_URL, the address people use; https outside the sandbox
	AdminPassword  string   `koanf:"admin_password"`  // ADMIN_PASSWORD of the first admin; generated and printed when empty
	DataKey        string   `koanf:"data_key"`        // DATA_KEY, at least 32 bytes; encrypts personal fields, signs QR codes and the calls between processes
	Demo           bool     `koanf:"demo"`            // DEMO, invented data on the first start; sandbox only

	BlobURL string `koanf:"blob_url"` // BLOB_URL of uploaded files, file:///directory or s3://bucket?region=…&endpoint=…; empty: blobs in Data

	MongoURI  string   `koanf:"mongo_uri"`  // MONGO_URI; empty: the embedded store in Data
	MongoName string   `koanf:"mongo_name"` // MONGO_NAME, database
	RedisAddr string   `koanf:"redis_addr"` // REDIS_ADDR; empty: embedded
	RedisPass string   `koanf:"redis_password"`
	Etcd      []string `koanf:"etcd"`     // ETCD, addresses; empty: one process
	RPCAddr   string   `koanf:"rpc_addr"` // RPC_ADDR, where rpc listens; port 0: any. One that other machines reach needs DATA_KEY

	CashConfirm bool `koanf:"cash_confirm"` // CASH_CONFIRM: cash counts when somebody else confirms it

	// SANDBOX=true opens the sandbox where others than this machine reach it: whoever does
	// reads every SMS and opens every WeChat user's session.
	OpenSandbox bool   `koanf:"sandbox"`
	SandboxURL  string `koanf:"sandbox_url"`  // SANDBOX_URL of a simulator in another process
	FontPath    string `koanf:"font_path"`    // FONT_PATH, TrueType fonts of receipts, comma separated: a character comes from the first that has it
	HolidaysDir string `koanf:"holidays_dir"` // HOLIDAYS_DIR, a folder of calendars, one file a year as those in rpc/calendar/years, which come after the shipped ones
	ProcessDir  string `koanf:"process_dir"`  // PROCESS_DIR, a folder of versions of 发展党员 as those in rpc/development/process: new ones, or local terms, materials and signers of a shipped one
	MapTiles    string `koanf:"map_tiles"`    // MAP_TILES, https address of a map's pictures with {z}, {x} and {y}; empty: a plain grid, nothing from outside

	MetricsToken string `koanf:"metrics_token"` // METRICS_TOKEN, at least 16 bytes, for GET /metrics as a bearer token; required for figures where PUBLIC_URL is not this machine

	WeChat WeChat `koanf:"wechat"`
	SMS    SMS    `koanf:"aliyun"`
}

// Default is the configuration of a newcomer: one process on loopback, all embedded.
func Default() Config {
	return Config{
		TrustedProxies: []string{"127.0.0.0/8", "::1/128"},
		Addr:           "127.0.0.1:8080", Data: "data", Demo: true, MongoName: "zhihuidangjian",
		RPCAddr: "127.0.0.1:0", FontPath: "/usr/share/fonts/truetype/lxgw-wenkai/LXGWWenKai-Regular.ttf," +
			"/usr/share/fonts/truetype/hanazono/HanaMinA.ttf,/usr/share/fonts/truetype/hanazono/HanaMinB.ttf",
	}
}

// Load reads the environment over the defaults and validates.
func Load() (Config, error) {
	c := Default()
	k := koanf.New(".")
	err := k.Load(env.Provider(".", env.Opt{TransformFunc: func(key, value string) (string, any) {
		key = strings.ToLower(key)
		for _, group := range []string{"wechat", "aliyun"} {
			if rest, ok := strings.CutPrefix(key, group+"_"); ok {
				return group + "." + rest, value
			}
		}
		if key == "etcd" || key == "trusted_proxies" {
			return key, strings.Split(value, ",")
		}
		return key, value
	}}), nil)
	if err != nil {
		return c, fmt.Errorf("read the environment: %w", err)
	}
	if err := k.Unmarshal("", &c); err != nil {
		return c, fmt.Errorf("configuration: %w", err)
	}
	if c.PublicURL == "" {
		c.PublicURL = "http://" + c.Addr
	}
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	return c, c.Validate()
}

// Sandbox tells whether WeChat, WeChat Pay and SMS are simulated: only when no real
// credential at all is given.
func (c Config) Sandbox() bool { return !c.WeChat.Present() && !c.SMS.Present() }

// Validate refuses what would be unsafe: weak or missing secrets outside the sandbox,
// a sandbox that others reach and nobody asked for, a simulator beside real credentials,
// half-given credentials.
func (c Config) Validate() error {
	if _, _, err := net.SplitHostPort(c.Addr); err != nil {
		return fmt.Errorf("ADDR: %w", err)
	}
	if c.DataKey != "" && len(c.DataKey) < 32 {
		return errors.New("DATA_KEY must have at least 32 bytes")
	}
	for _, s := range c.TrustedProxies {
		if _, err := netip.ParsePrefix(strings.TrimSpace(s)); err != nil {
			return fmt.Errorf("TRUSTED_PROXIES must be networks such as 10.0.0.5/32, comma-separated: %w", err)
		}
	}
	if !loopback(c.RPCAddr) && c.DataKey == "" {
		return errors.New("RPC_ADDR that other machines reach needs DATA_KEY: processes know each other's calls by it; draw one for all of them: openssl rand -hex 32")
	}
	if c.MetricsToken != "" && len(c.MetricsToken) < 16 {
		return errors.New("METRICS_TOKEN must have at least 16 bytes; draw one: openssl rand -hex 32")
	}
	if err := checkTiles(c.MapTiles); err != nil {
		return err
	}
	if c.BlobURL != "" && !strings.HasPrefix(c.BlobURL, "file:///") && !strings.HasPrefix(c.BlobURL, "s3://") {
		return errors.New("BLOB_URL must begin with file:/// or s3://")
	}
	if c.Sandbox() {
		if !c.OpenSandbox && !c.private() {
			return errors.New("no WECHAT_* or ALIYUN_* credentials: the sandbox would stand open to everybody who reaches ADDR or PUBLIC_URL. " +
				"Give the credentials, or say SANDBOX=true")
		}
		return nil
	}
	var errs []error
	if c.OpenSandbox {
		errs = append(errs, errors.New("SANDBOX=true cannot stand beside real WeChat or Aliyun credentials"))
	}
	if c.SandboxURL != "" {
		errs = append(errs, errors.New("SANDBOX_URL cannot stand beside real WeChat or Aliyun credentials"))
	}
	if c.DataKey == "" {
		errs = append(errs, errors.New("DATA_KEY is required with real credentials"))
	} else if err := checkSecret("DATA_KEY", c.DataKey); err != nil {
		errs = append(errs, err)
	}
	if c.MongoURI == "" && c.Data == "" {
		errs = append(errs, errors.New("MONGO_URI or DATA is required"))
	}
	if !strings.HasPrefix(c.PublicURL, "https://") {
		errs = append(errs, errors.New("PUBLIC_URL must be https with real credentials"))
	}
	switch {
	case !c.SMS.Present():
		errs = append(errs, errors.New("WECHAT_* is given without ALIYUN_*: with one real credential nothing is simulated, and members are bound by codes that Aliyun's SMS carries; give both, or none for the sandbox"))
	case !c.WeChat.Present():
		errs = append(errs, errors.New("ALIYUN_* is given without WECHAT_*: with one real credential nothing is simulated, and members come in by WeChat; give both, or none for the sandbox"))
	default:
		errs = append(errs, c.WeChat.Validate(), c.SMS.Validate())
	}
	return errors.Join(errs...)
}

// Secret returns DATA_KEY; in the sandbox one is drawn on the first start and kept in Data,
// readable by the owner only. fresh is the file of a key that this call has drawn: who finds
// that documents need another key removes it again.
func (c Config) Secret() (key []byte, fresh string, err error) {
	if c.DataKey != "" {
		return []byte(c.DataKey), "", nil
	}
	path := filepath.Join(c.Data, "data.key")
	if key, err = os.ReadFile(path); err == nil {
		return key, "", nil
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, "", fmt.Errorf("data key: %w", err)
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, "", fmt.Errorf("DATA: %w", err)
	}
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails since Go 1.24

	f, err := os.CreateTemp(c.Data, "data.key.") // 0600
	if err != nil {
		return nil, "", fmt.Errorf("data key: %w", err)
	}
	_, err = f.WriteString(hex.EncodeToString(raw))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Link(f.Name(), path) // of several first starts one draws the key, whole
	}
	_ = os.Remove(f.Name())
	switch {
	case err == nil:
		fresh = path
	case !errors.Is(err, os.ErrExist):
		return nil, "", fmt.Errorf("data key: %w", err)
	}
	if key, err = os.ReadFile(path); err != nil {
		return nil, "", fmt.Errorf("data key: %w", err)
	}
	return key, fresh, nil
}

// Proxies are the networks of TRUSTED_PROXIES.
func (c Config) Proxies() []netip.Prefix {
	var all []netip.Prefix
	for _, s := range c.TrustedProxies {
		if p, err := netip.ParsePrefix(strings.TrimSpace(s)); err == nil { // Validate refuses the others
			all = append(all, p.Masked())
		}
	}
	return all
}

// private tells whether only this machine can be meant by the addresses.
func (c Config) private() bool {
	u, err := url.Parse(c.PublicURL)
	return err == nil && u.Scheme == "http" && loopback(net.JoinHostPort(u.Hostname(), "0")) && loopback(c.Addr)
}

// loopback tells whether only this machine reaches an address, host:port.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// checkTiles wants an address whose host is fixed: pages may load pictures from that one
// beside the product itself.
func checkTiles(address string) error {
	if address == "" {
		return nil
	}
	u, err := url.Parse(strings.NewReplacer("{z}", "0", "{x}", "0", "{y}", "0").Replace(address))
	if err != nil || u.Scheme != "https" || u.Host == "" || strings.ContainsAny(u.Host, " ;,'\"{}*") || !strings.Contains(address, "{z}") {
		return errors.New("MAP_TILES must be an https address with {z}, {x} and {y}")
	}
	return nil
}
