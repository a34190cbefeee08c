// Bench measures the product's bursts end to end through Hertz with identity checked, 64
// connections, every commit on disk: check-in, the repeated scan, the ranking's top 50 of
// 10,000 members, and a page of 20 of the member list; and how a flood of log-ins disturbs
// check-in. Absolute times on a shared machine mean little, so that every figure stands
// beside a bare Hertz echo of the same round, sent by the same client over as many
// connections, and beside the one call of the driver without which it could not be done,
// made by a bare Hertz handler. The server is a process of its own (this program with
// -serve), so that its CPU can be told from the load's; echo and product live in it together.
//
// Check-in is shown three times: with the relay at rest, which is what a scan costs while
// the member waits, by members whom the edge sees for the first time and by those whose
// page has just asked who they are; and with everything that follows (points, boards,
// notices, until nothing is pending) in the same figure.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cloudwego/hertz/pkg/app/client"
	"github.com/cloudwego/hertz/pkg/protocol"
)

const connections = 64

// flags are the command line's.
type flags struct {
	serve    bool
	members  int
	rounds   int
	only     string
	profiles string
	flat     bool
}

func main() {
	var o flags
	flag.BoolVar(&o.serve, "serve", false, "be the server under load")
	flag.IntVar(&o.members, "members", 10_000, "members in the store")
	flag.IntVar(&o.rounds, "rounds", 9, "rounds; the table shows minimum and median")
	flag.StringVar(&o.only, "only", "", "measure only figures whose name holds this")
	flag.StringVar(&o.profiles, "profiles", "", "directory for a CPU profile of each figure")
	flag.BoolVar(&o.flat, "flat", false, "measure the member list at 1k, 10k and 100k members instead")
	flag.Parse()
	run := run
	if o.flat {
		run = runFlat
	}
	if o.serve {
		run = runServer
	}
	if err := run(o); err != nil {
		log.Fatal(err)
	}
}

// plan is what the server tells the load, as one line of JSON.
type plan struct {
	Base    string
	Control string   // bare Hertz: the echo, and what the load asks of the server
	Members []string // session tokens
	Admins  []string // session tokens: one alone is held up by the limit of its rate
}

// bench is a run.
type bench struct {
	flags
	plan
	c       *client.Client
	figures []*figure
	burst   int // check-ins so far, in bursts
}

// figure is one line of the table: a value a round.
type figure struct {
	name   string
	most   float64 // times the echo; 0: no bar
	rounds []result
	echo   []result // of the same rounds
	driver []result // the driver's call of the same rounds; empty: none compares
}

type result struct {
	perSecond, p50, p99, cpu float64 // ms, µs a request
}

func run(o flags) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if o.only == "" {
		if err := startUp(dir); err != nil {
			return err
		}
	}
	redis, stopRedis, err := startRedis(dir)
	if err != nil {
		return err
	}
	defer stopRedis()
	b := &bench{flags: o}
	stop, err := b.start(filepath.Join(dir, "data"), redis)
	if err != nil {
		return err
	}
	defer stop()
	if b.c, err = client.NewClient(client.WithMaxConnsPerHost(connections), client.WithClientReadTimeout(5*time.Minute)); err != nil {
		return err
	}
	for round := range o.rounds + 1 { // the first warms up
		if err := b.round(round); err != nil {
			return err
		}
	}
	b.show()
	return nil
}

// runFlat measures a page of the member list with a filter, an order and the total at
// growing numbers of members (issue 4: at most 20 times the echo's CPU, and at 100,000
// members at most 1.3 times what it is at 1,000).
func runFlat(o flags) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var all bench
	for _, o.members = range []int{1_000, 10_000, 100_000} {
		name := fmt.Sprintf("list of %d", o.members)
		f, err := listOf(o, filepath.Join(dir, name))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		f.name, f.most = name, 20
		all.figures = append(all.figures, f)
	}
	all.show()
	cpu := func(i int) float64 {
		least, _ := all.figures[i].spread(func(r, echo result) float64 { return r.cpu / echo.cpu })
		return least
	}
	fmt.Printf("100,000 members to 1,000: %.2f× (bar ≤ 1.3)\n", cpu(2)/cpu(0))
	return nil
}

// listOf measures the list of one number of members.
func listOf(o flags, dir string) (*figure, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	redis, stopRedis, err := startRedis(dir)
	if err != nil {
		return nil, err
	}
	defer stopRedis()
	b := &bench{flags: o}
	stop, err := b.start(filepath.Join(dir, "data"), redis)
	if err != nil {
		return nil, err
	}
	defer stop()
	if b.c, err = client.NewClient(client.WithMaxConnsPerHost(connections), client.WithClientReadTimeout(time.Minute)); err != nil {
		return nil, err
	}
	if _, err := b.control("/relay?on=false"); err != nil {
		return nil, err
	}
	columns, err := b.columns("member")
	if err != nil {
		return nil, err
	}
	f := &figure{}
	for round := range o.rounds + 1 { // the first warms up
		echo, err := b.load(20_000, func(int, *protocol.Request) {}, b.Control+"/echo", nil)
		if err != nil {
			return nil, err
		}
		r, err := b.load(4_000, b.admin, b.Base+"/api/console/records/member?size=20&f.memberType=fullMember&sort=-createdAt&columns="+columns, nil)
		if err != nil {
			return nil, err
		}
		if round > 0 {
			f.rounds, f.echo = append(f.rounds, r), append(f.echo, echo)
		}
	}
	return f, nil
}

// start runs the server under load and waits until it is filled.
func (b *bench) start(data, redis string) (stop func(), err error) {
	cmd := exec.Command(os.Args[0], "-serve", "-members", strconv.Itoa(b.members))
	cmd.Env = append(os.Environ(), "DATA="+data, "ADDR=127.0.0.1:"+port(), "ADMIN_PASSWORD="+adminPassword, "REDIS_ADDR="+redis)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}
	line, err := bufio.NewReaderSize(out, 1<<20).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &b.plan)
	}
	if err != nil {
		stop()
		return nil, fmt.Errorf("server: %w", err)
	}
	return stop, nil
}

// round measures every figure once. Echo comes first and last, since other work on the
// machine comes and goes; the ratios take their mean.
func (b *bench) round(n int) error {
	echo, err := b.load(30_000, func(int, *protocol.Request) {}, b.Control+"/echo", nil)
	if err != nil {
		return err
	}
	measured := map[string]result{}
	var names []string
	for name, path := range map[string]string{figInsert: "insert", figFind: "find", figPage: "page"} {
		if measured[name], err = b.load(5_000, func(int, *protocol.Request) {}, b.Control+"/driver/"+path, nil); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	one := func(name string, f func() (result, error)) error {
		if !strings.Contains(name, b.only) {
			return nil
		}
		if n > 0 && b.profiles != "" {
			stop, err := b.profile(fmt.Sprintf("%s-%d", strings.ReplaceAll(name, " ", "-"), n))
			if err != nil {
				return err
			}
			defer stop()
		}
		r, err := f()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		measured[name], names = r, append(names, name)
		return nil
	}
	var scan func(int, *protocol.Request)
	const scans = 2500
	signIn := b.Base + "/api/member/sign-in"
	checkIn := func() (result, error) {
		if scan, err = b.hall(scans); err != nil {
			return result{}, err
		}
		return b.load(scans, scan, signIn, nil)
	}
	// The page that a phone opens before it scans asks who he is: the edge knows him then.
	known := func() (result, error) {
		const scans = 800 // as many as come before the edge asks again
		if scan, err = b.hall(scans); err != nil {
			return result{}, err
		}
		asks := func(i int, r *protocol.Request) {
			scan(i, r)
			r.Header.SetMethod("GET")
			r.ResetBody()
		}
		if _, err := b.load(scans, asks, b.Base+"/api/member/me", nil); err != nil {
			return result{}, err
		}
		return b.load(scans, scan, signIn, nil)
	}
	whole := func() (result, error) {
		if scan, err = b.hall(scans); err != nil {
			return result{}, err
		}
		return b.load(scans, scan, signIn, b.drain)
	}
	for _, step := range []func() error{
		func() error { _, err := b.control("/relay?on=false"); return err },
		func() error { return one(figCheckIn, checkIn) },
		func() error { return one(figKnown, known) },
		func() error {
			return one(figFlood, func() (result, error) {
				end, err := b.flood()
				if err != nil {
					return result{}, err
				}
				defer end()
				return checkIn()
			})
		},
		func() error { _, err := b.control("/relay?on=true"); return err },
		b.drain,
		func() error {
			return one(figAnswer, func() (result, error) {
				answer, _, err := b.exam(scans)
				if err != nil {
					return result{}, err
				}
				return b.load(scans, answer, b.Base, nil)
			})
		},
		func() error {
			return one(figHandIn, func() (result, error) {
				answer, hand, err := b.exam(scans)
				if err != nil {
					return result{}, err
				}
				if _, err := b.load(scans, answer, b.Base, nil); err != nil { // there is something on the paper
					return result{}, err
				}
				return b.load(scans, hand, b.Base, nil)
			})
		},
		func() error { return one(figWhole, whole) },
		func() error {
			return one(figRepeated, func() (result, error) {
				if !strings.Contains(figWhole, b.only) { // alone
					if _, err := checkIn(); err != nil {
						return result{}, err
					}
				}
				return b.load(20_000, scan, signIn, nil)
			})
		},
		func() error {
			return one(figRanking, func() (result, error) {
				return b.load(10_000, b.admin, b.Base+"/api/console/points/ranking?dimension=personal&size=50", nil)
			})
		},
		func() error {
			return one(figList, func() (result, error) {
				columns, err := b.columns("member")
				if err != nil {
					return result{}, err
				}
				return b.load(5_000, b.admin, b.Base+"/api/console/records/member?size=20&columns="+columns, nil)
			})
		},
		b.drain,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	again, err := b.load(30_000, func(int, *protocol.Request) {}, b.Control+"/echo", nil)
	if err != nil || n == 0 {
		return err
	}
	echo.cpu = (echo.cpu + again.cpu) / 2
	b.add(figEcho, echo, echo)
	for _, name := range []string{figInsert, figFind, figPage} {
		b.add(name, measured[name], echo)
	}
	for _, name := range names {
		f := b.add(name, measured[name], echo)
		if raw, ok := calls[name]; ok {
			f.driver = append(f.driver, measured[raw])
		}
	}
	return nil
}

// The figures, and the bars of issue 2 (times the echo's CPU).
const (
	figEcho     = "bare Hertz echo"
	figCheckIn  = "check-in"
	figKnown    = "check-in, known to edge"
	figWhole    = "check-in, all followed"
	figRepeated = "repeated scan"
	figAnswer   = "exam: save an answer"
	figHandIn   = "exam: hand in"
	figRanking  = "ranking top 50"
	figList     = "member list of 20"
	figFlood    = "check-in, login flood"

	figInsert = "driver: insert one"
	figFind   = "driver: find one"
	figPage   = "driver: page of 20"
)

// calls are the calls of the driver that figures are compared with.
var calls = map[string]string{figCheckIn: figInsert, figKnown: figInsert, figWhole: figInsert, figRepeated: figFind, figAnswer: figInsert, figHandIn: figInsert, figRanking: figFind, figList: figPage}

var bars = map[string]float64{figCheckIn: 12, figKnown: 12, figRepeated: 6, figRanking: 5, figList: 20}

func (b *bench) add(name string, r, echo result) *figure {
	i := slices.IndexFunc(b.figures, func(f *figure) bool { return f.name == name })
	if i < 0 {
		i = len(b.figures)
		b.figures = append(b.figures, &figure{name: name, most: bars[name]})
	}
	f := b.figures[i]
	f.rounds, f.echo = append(f.rounds, r), append(f.echo, echo)
	return f
}

// spread is the minimum and the median of a value over the rounds.
func (f *figure) spread(of func(r, echo result) float64) (least, median float64) {
	return spread(f.rounds, f.echo, of)
}

// spread is the same beside any other figure of the same rounds.
func spread(rounds, beside []result, of func(r, other result) float64) (least, median float64) {
	all := make([]float64, len(rounds))
	for i := range all {
		all[i] = of(rounds[i], beside[i])
	}
	slices.Sort(all)
	return all[0], all[len(all)/2]
}

func (b *bench) show() {
	fmt.Printf("%-24s %9s %8s %8s %15s %17s %5s %17s\n", "", "req/s", "p50 ms", "p99 ms", "µs CPU min/med", "× echo min/med", "bar", "× driver min/med")
	p99 := map[string]float64{}
	for _, f := range b.figures {
		_, rate := f.spread(func(r, _ result) float64 { return r.perSecond })
		_, p50 := f.spread(func(r, _ result) float64 { return r.p50 })
		_, p99[f.name] = f.spread(func(r, _ result) float64 { return r.p99 })
		cpu, cpuMed := f.spread(func(r, _ result) float64 { return r.cpu })
		ratio := func(r, other result) float64 { return r.cpu / other.cpu }
		times, timesMed := f.spread(ratio)
		driver := ""
		if len(f.driver) > 0 {
			least, median := spread(f.rounds, f.driver, ratio)
			driver = fmt.Sprintf("%.1f/%.1f", least, median)
		}
		bar := ""
		if f.most > 0 {
			bar = fmt.Sprintf("≤ %.0f", f.most)
		}
		if f.name == figFlood { // its CPU is the flood's
			fmt.Printf("%-24s %9.0f %8.2f %8.2f\n", f.name, rate, p50, p99[f.name])
			continue
		}
		fmt.Printf("%-24s %9.0f %8.2f %8.2f %15s %17s %5s %17s\n", f.name, rate, p50, p99[f.name],
			fmt.Sprintf("%.0f/%.0f", cpu, cpuMed), fmt.Sprintf("%.1f/%.1f", times, timesMed), bar, driver)
	}
	if quiet, flooded := p99[figCheckIn], p99[figFlood]; quiet > 0 && flooded > 0 {
		fmt.Printf("p99 of check-in in a flood of log-ins: %.1f× (bar ≤ 2)\n", flooded/quiet)
	}
}

// hall starts a meeting and answers the scans of the next n members.
func (b *bench) hall(n int) (func(int, *protocol.Request), error) {
	code, err := b.control("/meeting")
	if err != nil {
		return nil, err
	}
	body := []byte(`{"token":"` + code + `"}`)
	from := b.burst * n
	b.burst++
	return func(i int, r *protocol.Request) {
		r.Header.SetMethod("POST")
		r.Header.Set("Authorization", "Bearer "+b.Members[(from+i%n)%len(b.Members)])
		r.Header.SetContentTypeBytes([]byte("application/json"))
		r.SetBody(body)
	}, nil
}

// exam is a new exam for everybody: what saves the first answer of n people, and what hands their papers in. Both
// set the address.
func (b *bench) exam(n int) (answer, hand func(int, *protocol.Request), err error) {
	said, err := b.control("/exam")
	if err != nil {
		return nil, nil, err
	}
	ids := strings.Split(said, ",")
	id, questions := ids[0], ids[1:]
	from := b.burst * n
	b.burst++
	post := func(path, body string) func(int, *protocol.Request) {
		return func(i int, r *protocol.Request) {
			r.SetRequestURI(b.Base + "/api/member/exams/" + id + path)
			r.Header.SetMethod("POST")
			r.Header.Set("Authorization", "Bearer "+b.Members[(from+i%n)%len(b.Members)])
			r.Header.SetContentTypeBytes([]byte("application/json"))
			r.SetBody([]byte(body))
		}
	}
	const one = `{"questionId":"%s","answers":["right"]}`
	var all []string // a phone sends its whole paper
	for _, q := range questions {
		all = append(all, fmt.Sprintf(one, q))
	}
	return post("/answers", fmt.Sprintf(one, questions[0])), post("/hand-in", `{"answers":[`+strings.Join(all, ",")+`]}`), nil
}

// columns are those that the console's page asks for.
func (b *bench) columns(typ string) (string, error) {
	req, resp := &protocol.Request{}, &protocol.Response{}
	req.SetRequestURI(b.Base + "/api/console/records/" + typ + "/schema")
	b.admin(0, req)
	if err := b.c.Do(context.Background(), req, resp); err != nil {
		return "", err
	}
	var schema struct {
		Fields []struct {
			Key  string
			List bool
		}
	}
	if err := json.Unmarshal(resp.Body(), &schema); err != nil {
		return "", err
	}
	columns := "name,title"
	for _, f := range schema.Fields {
		if f.List {
			columns += "," + f.Key
		}
	}
	return columns, nil
}

func (b *bench) admin(i int, r *protocol.Request) {
	r.Header.SetCookie("zd_admin", b.Admins[i%len(b.Admins)])
}

// load sends n requests over 64 connections, one after another on each, and then waits
// for after, whose CPU counts too. It fails with the first refusal.
func (b *bench) load(n int, build func(i int, r *protocol.Request), uri string, after func() error) (result, error) {
	took := make([]time.Duration, n)
	var next atomic.Int64
	var first error
	var once sync.Once
	var wg sync.WaitGroup
	cpu, err := b.usage()
	if err != nil {
		return result{}, err
	}
	start := time.Now()
	for range connections {
		wg.Go(func() {
			req, resp := protocol.AcquireRequest(), protocol.AcquireResponse()
			defer protocol.ReleaseRequest(req)
			defer protocol.ReleaseResponse(resp)
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				req.Reset()
				resp.Reset()
				req.SetRequestURI(uri)
				build(i, req)
				begin := time.Now()
				err := b.c.Do(context.Background(), req, resp)
				if err == nil && resp.StatusCode() != 200 {
					err = fmt.Errorf("status %d: %s", resp.StatusCode(), resp.Body())
				}
				if err != nil {
					once.Do(func() { first = err })
					return
				}
				took[i] = time.Since(begin)
			}
		})
	}
	wg.Wait()
	all := time.Since(start)
	if first == nil && after != nil {
		first = after()
	}
	if first != nil {
		return result{}, first
	}
	used, err := b.usage()
	slices.Sort(took)
	ms := func(q float64) float64 { return float64(took[int(float64(n-1)*q)].Microseconds()) / 1000 }
	return result{float64(n) / all.Seconds(), ms(.5), ms(.99), (used - cpu) / float64(n)}, err
}

// control asks something of the server's process.
func (b *bench) control(path string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	status, body, err := b.c.Get(ctx, nil, b.Control+path)
	if err == nil && status != 200 {
		err = fmt.Errorf("%s: status %d: %s", path, status, body)
	}
	return string(body), err
}

// usage is the CPU time that the server has used, µs.
func (b *bench) usage() (float64, error) {
	text, err := b.control("/usage")
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(text, 64)
}

// drain waits until every event was handed on.
func (b *bench) drain() error { _, err := b.control("/drain"); return err }

func (b *bench) profile(name string) (stop func(), err error) {
	path, err := filepath.Abs(filepath.Join(b.profiles, name+".pprof"))
	if err != nil {
		return nil, err
	}
	_, err = b.control("/profile?file=" + path)
	return func() { _, _ = b.control("/profile") }, err
}

// flood logs in with wrong passwords from many addresses, without a pause, until it is
// ended: captchas are drawn and solved, and every try costs the server an argon2id.
func (b *bench) flood() (end func(), err error) {
	const floods = 16
	c, err := client.NewClient(client.WithMaxConnsPerHost(floods), client.WithClientReadTimeout(time.Minute))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var tries atomic.Int64
	var wg sync.WaitGroup
	started := make(chan struct{})
	var once sync.Once
	var refusal atomic.Pointer[string]
	post := func(path, body string, answer any) int {
		req, resp := protocol.AcquireRequest(), protocol.AcquireResponse()
		defer protocol.ReleaseRequest(req)
		defer protocol.ReleaseResponse(resp)
		req.Header.SetMethod("POST")
		if body == "" {
			req.Header.SetMethod("GET")
		}
		req.SetRequestURI(b.Base + path)
		n := tries.Add(1)
		req.Header.Set("X-Requested-With", "zhihuidangjian")
		req.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255))
		req.Header.SetContentTypeBytes([]byte("application/json"))
		req.SetBody([]byte(body))
		if err := c.Do(ctx, req, resp); err != nil {
			return 0
		}
		if resp.StatusCode() != 200 && resp.StatusCode() != 401 {
			text := fmt.Sprintf("%s: status %d: %s", path, resp.StatusCode(), resp.Body())
			refusal.Store(&text)
		}
		if answer != nil && resp.StatusCode() == 200 {
			_ = json.Unmarshal(resp.Body(), answer) // malformed: the next step is refused
		}
		return resp.StatusCode()
	}
	for w := range floods {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				var drawn struct{ ID string }
				var answer struct{ X, Y int32 }
				var ok struct{ Token string }
				post("/api/console/captcha", "{}", &drawn)
				post("/sandbox/api/captcha/"+drawn.ID, "", &answer)
				post("/api/console/captcha/solve", fmt.Sprintf(`{"id":%q,"x":%d,"y":%d}`, drawn.ID, answer.X, answer.Y), &ok)
				if post("/api/console/login", fmt.Sprintf(`{"userName":"nobody%d.%d","password":"wrong","captchaToken":%q}`, w, i, ok.Token), nil) == 401 {
					once.Do(func() { close(started) })
				}
			}
		})
	}
	select {
	case <-started:
	case <-time.After(time.Minute):
		err = errors.New("no log-in of the flood was judged")
		if text := refusal.Load(); text != nil {
			err = fmt.Errorf("%w: %s", err, *text)
		}
	}
	end = func() { cancel(); wg.Wait() }
	if err != nil {
		end()
	}
	return end, err
}

// startUp builds the product as people run it, starts it on an empty directory and
// again, and prints how soon it was ready and what it weighs at rest.
func startUp(dir string) error {
	program := filepath.Join(dir, "product")
	build := exec.Command("go", "build", "-o", program, "./bff")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	addr := "127.0.0.1:" + port()
	for _, what := range []string{"first start, demo data", "start"} {
		cmd := exec.Command(program)
		cmd.Env = append(os.Environ(), "DATA="+filepath.Join(dir, "idle"), "ADDR="+addr, "ADMIN_PASSWORD="+adminPassword)
		begin := time.Now()
		if err := cmd.Start(); err != nil {
			return err
		}
		ready := awaitReady(addr, 30*time.Second)
		took := time.Since(begin)
		time.Sleep(5 * time.Second) // at rest
		weight := resident(cmd.Process.Pid)
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if !ready {
			return errors.New("the product did not become ready")
		}
		fmt.Printf("%s: ready in %d ms (bar ≤ 500), resident at rest %d MB (bar ≤ 120)\n", what, took.Milliseconds(), weight>>20)
	}
	return nil
}

func awaitReady(addr string, most time.Duration) bool {
	for begin := time.Now(); time.Since(begin) < most; time.Sleep(2 * time.Millisecond) {
		status, _, err := client.Get(context.Background(), nil, "http://"+addr+"/readyz")
		if err == nil && status == 200 {
			return true
		}
	}
	return false
}

// startRedis runs a redis-server of its own where Debian's is installed; otherwise the
// embedded Redis serves, whose CPU then counts as the product's.
func startRedis(dir string) (addr string, stop func(), err error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		fmt.Println("no redis-server: the embedded Redis serves, and its CPU counts")
		return "", func() {}, nil
	}
	number := port()
	cmd := exec.Command(program, "--port", number, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", dir)
	cmd.Stdout = io.Discard
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	return "127.0.0.1:" + number, func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}, nil
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
