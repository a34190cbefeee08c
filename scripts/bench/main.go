// Bench measures the product's bursts end to end through Hertz with identity checked,
// 64 connections: check-in, the repeated scan, the ranking's top 50 of 10,000 members, and
// a page of 20 of the member list. Each figure stands beside a bare Hertz echo and a raw
// driver call of the same run, since absolute times on a shared machine mean little. The
// server is a process of its own (this program with -serve), so that its CPU can be told
// from the load's.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const connections = 64

func main() {
	serve := flag.Bool("serve", false, "be the server under load")
	members := flag.Int("members", 10_000, "members in the store")
	rounds := flag.Int("rounds", 4, "check-ins of each member with a session")
	flag.Parse()
	if *serve {
		if err := runServer(*members, *rounds); err != nil {
			log.Fatal(err)
		}
		return
	}
	if err := run(*members, *rounds); err != nil {
		log.Fatal(err)
	}
}

// plan is what the server tells the load, as one line of JSON.
type plan struct {
	Base     string
	Echo     string     // of a bare Hertz
	Members  []string   // session tokens
	Codes    []string   // check-in tokens, one a meeting
	Admins   []string   // session tokens: one alone is held up by the limit of its rate
	ReadyMS  int64      // from start to ready, with an empty store
	RawOpsPS float64    // raw driver inserts a second, 64 at once
	RawCPU   float64    // µs of CPU each, driver and store together
	Pings    [2]float64 // driver pings: a second, µs of CPU
}

func run(members, rounds int) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command(os.Args[0], "-serve", "-members", strconv.Itoa(members), "-rounds", strconv.Itoa(rounds))
	cmd.Env = append(os.Environ(), "DATA="+dir, "ADDR=127.0.0.1:19195", "ADMIN_PASSWORD=Dangjian#2026")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}()
	var p plan
	lines := bufio.NewReaderSize(out, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return fmt.Errorf("server: %w", err)
		}
		if strings.HasPrefix(string(line), "{\"Base\"") {
			if err := json.Unmarshal(line, &p); err != nil {
				return err
			}
			break
		}
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	pid := cmd.Process.Pid
	fmt.Printf("ready in %d ms, resident %d MB with %d members\n", p.ReadyMS, resident(pid)>>20, members)
	fmt.Printf("raw driver insert: %.0f/s, %.0f µs CPU; driver ping: %.0f/s, %.0f µs CPU\n\n", p.RawOpsPS, p.RawCPU, p.Pings[0], p.Pings[1])
	fmt.Printf("%-18s %9s %9s %9s %10s %8s %8s\n", "", "req/s", "p50 ms", "p99 ms", "µs CPU", "× echo", "× raw")

	phone := func(i int) string { return p.Members[i%len(p.Members)] }
	n := len(p.Members) * len(p.Codes)
	echo := load(pid, 60_000, func(int) *http.Request { return request("GET", p.Echo+"/echo", "", "") })
	show := func(name string, r result) {
		fmt.Printf("%-18s %9.0f %9.2f %9.2f %10.0f %8.1f %8.1f\n", name, r.perSecond, r.p50, r.p99, r.cpu, r.cpu/echo.cpu, r.cpu/p.RawCPU)
	}
	show("bare Hertz echo", echo)
	signIn := func(i int) *http.Request {
		code := p.Codes[i/len(p.Members)%len(p.Codes)]
		return request("POST", p.Base+"/api/member/sign-in", phone(i), `{"token":"`+code+`"}`)
	}
	show("check-in", load(pid, n, signIn))
	show("repeated scan", load(pid, n, signIn))
	show("ranking top 50", load(pid, 10_000, func(i int) *http.Request {
		return admin(p, i, "GET", "/api/console/points/ranking?dimension=personal&size=50")
	}))
	show("member list of 20", load(pid, 5_000, func(i int) *http.Request {
		return admin(p, i, "GET", "/api/console/records/member?size=20")
	}))
	return nil
}

func request(method, url, token, body string) *http.Request {
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequest(method, url, r)
	if err != nil {
		panic(err) // our own addresses
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
	}
	return req
}

func admin(p plan, i int, method, path string) *http.Request {
	req := request(method, p.Base+path, "", "")
	req.AddCookie(&http.Cookie{Name: "zd_admin", Value: p.Admins[i%len(p.Admins)]})
	return req
}

type result struct {
	perSecond, p50, p99, cpu float64 // ms, µs a request
}

// load sends n requests over 64 connections and stops at the first refusal.
func load(pid, n int, build func(i int) *http.Request) result {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections}}
	took := make([]time.Duration, n)
	var next, failed atomic.Int64
	var first sync.Once
	var wg sync.WaitGroup
	cpu, start := cpuOf(pid), time.Now()
	for range connections {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				begin := time.Now()
				resp, err := client.Do(build(i))
				if err == nil {
					var body []byte
					body, err = io.ReadAll(resp.Body)
					_ = resp.Body.Close()
					if err == nil && resp.StatusCode != http.StatusOK {
						err = fmt.Errorf("status %d: %s", resp.StatusCode, body)
					}
				}
				if err != nil {
					failed.Add(1)
					first.Do(func() { log.Print(err) })
				}
				took[i] = time.Since(begin)
			}
		})
	}
	wg.Wait()
	all, used := time.Since(start), cpuOf(pid)-cpu
	if f := failed.Load(); f > 0 {
		log.Printf("%d of %d failed", f, n)
	}
	slices.Sort(took)
	ms := func(q float64) float64 { return float64(took[int(float64(n-1)*q)].Microseconds()) / 1000 }
	return result{float64(n) / all.Seconds(), ms(.5), ms(.99), float64(used.Microseconds()) / float64(n)}
}

// cpuOf is the CPU time a process has used, user and system.
func cpuOf(pid int) time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+2:]))
	ticks := 0
	for _, f := range fields[11:13] {
		n, _ := strconv.Atoi(f)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

func resident(pid int) int64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}
