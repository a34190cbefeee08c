package suite

import (
	"io"
	"log/slog"
	"os"

	"github.com/cloudwego/kitex/pkg/klog"
)

// LogJSON makes everything the process says one JSON object a line on standard error: its own
// log, the standard library's, and what the RPC library finds worth a warning. A collector
// needs no second format. What it returns turns lines of other libraries into such objects.
func LogJSON() io.Writer {
	handler := slog.NewJSONHandler(os.Stderr, nil)
	slog.SetDefault(slog.New(handler))
	lines := slog.NewLogLogger(handler, slog.LevelWarn).Writer()
	klog.SetLevel(klog.LevelWarn)
	klog.SetOutput(lines)
	return lines
}
