package blob

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A server takes the bucket in the host name or in the path.
func TestAddressing(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Host + r.URL.EscapedPath()
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}
	for _, c := range []struct{ options, want string }{
		{"region=eu-west-1", "files.s3.eu-west-1.amazonaws.com/a/b%20c"},
		{"region=cn-north-1", "files.s3.cn-north-1.amazonaws.com.cn/a/b%20c"},
		{"region=eu-west-1&use_path_style=true", "s3.eu-west-1.amazonaws.com/files/a/b%20c"},
		{"region=oss-cn-hangzhou&endpoint=https://oss-cn-hangzhou.aliyuncs.com", "files.oss-cn-hangzhou.aliyuncs.com/a/b%20c"},
		{"region=cn&endpoint=http://minio:9000/", "minio:9000/files/a/b%20c"},
		{"region=cn&endpoint=http://10.0.0.8", "10.0.0.8/files/a/b%20c"},
		{"region=cn&endpoint=https://store.example.com&use_path_style=false", "files.store.example.com/a/b%20c"},
	} {
		s, err := Open(t.Context(), "s3://files?"+c.options)
		if err != nil {
			t.Fatalf("%s: %v", c.options, err)
		}
		pool := s.(*bucket).pool
		pool.Proxy, pool.DialContext, pool.DialTLSContext = nil, dial, dial
		if err := s.Delete(t.Context(), "a/b c"); err != nil || asked != c.want {
			t.Errorf("%s: asked %s, %v; want %s", c.options, asked, err, c.want)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
