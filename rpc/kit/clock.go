package kit

import (
	"sync/atomic"
	"time"
)

// Shanghai is the zone of every date, month and deadline of the product.
var Shanghai = time.FixedZone("Asia/Shanghai", 8*3600)

// Clock tells the product's time in Shanghai. The sandbox moves it forward, so that
// expiry, deadlines and reminders can be tried in a minute.
type Clock struct{ offset atomic.Int64 }

// Now is the product's time. A nil Clock is the wall clock.
func (c *Clock) Now() time.Time {
	now := time.Now()
	if c != nil {
		now = now.Add(time.Duration(c.offset.Load()))
	}
	return now.In(Shanghai)
}

// SetOffset sets how far the clock runs ahead of the wall clock.
func (c *Clock) SetOffset(d time.Duration) { c.offset.Store(int64(d)) }

// Offset is how far the clock runs ahead of the wall clock.
func (c *Clock) Offset() time.Duration { return time.Duration(c.offset.Load()) }

// Month is the month of t, yyyy-MM.
func Month(t time.Time) string { return t.In(Shanghai).Format("2006-01") }

// AddMonths moves a month (yyyy-MM) by n; "" for a malformed one.
func AddMonths(month string, n int) string {
	t, err := time.ParseInLocation("2006-01", month, Shanghai)
	if err != nil {
		return ""
	}
	return Month(t.AddDate(0, n, 0))
}

// MonthsBefore is the day (yyyy-MM-dd) some months before another; the last of a shorter month.
// A malformed one stays as it is.
func MonthsBefore(day string, months int) string {
	d, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	first := time.Date(d.Year(), d.Month(), 1, 0, 0, 0, 0, time.UTC).AddDate(0, -months, 0)
	last := first.AddDate(0, 1, -1)
	return first.AddDate(0, 0, min(d.Day(), last.Day())-1).Format(time.DateOnly)
}

// Midnight is the start of t's day in Shanghai.
func Midnight(t time.Time) time.Time {
	y, m, d := t.In(Shanghai).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, Shanghai)
}
