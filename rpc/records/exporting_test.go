package records

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"zhihuidangjian/rpc/kit"
)

func TestDesk(t *testing.T) {
	as := func(ctx context.Context, id string) context.Context {
		return kit.WithCaller(ctx, kit.Caller{Kind: kit.User, UserID: id})
	}
	t.Run("who asks for many exports has one made at a time, and others have theirs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(2)
			leave := make(chan func(), 10)
			ask := func(who string) {
				kit.Go("export", func() error {
					done, err := d.sit(as(t.Context(), who))
					if err != nil {
						return err
					}
					leave <- done
					return nil
				})
			}
			for range mostOfPerson {
				ask("greedy")
			}
			synctest.Wait()
			if len(leave) != 1 {
				t.Fatalf("%d made at once", len(leave))
			}
			if _, err := d.sit(as(t.Context(), "greedy")); !errors.Is(err, errExports) || kit.FromError(err).Wait <= 0 {
				t.Errorf("one more: %v", err)
			}
			ask("other")
			synctest.Wait()
			if len(leave) != 2 {
				t.Fatal("the other waits for the greedy one")
			}
			ask("third")
			synctest.Wait()
			if len(leave) != 2 {
				t.Fatal("three are made at once")
			}
			for range mostOfPerson + 2 {
				(<-leave)()
				synctest.Wait()
			}
			if len(d.people) != 0 || len(d.places) != 0 {
				t.Errorf("left behind: %v, %d", d.people, len(d.places))
			}
		})
	})
	t.Run("who gives up leaves nothing behind", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(1)
			first, err := d.sit(as(t.Context(), "one"))
			if err != nil {
				t.Fatal(err)
			}
			for _, who := range []string{"one", "two"} { // his own place is taken; the shared one is
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				if _, err := d.sit(as(ctx, who)); !errors.Is(err, errExports) {
					t.Errorf("%s: %v", who, err)
				}
				cancel()
			}
			first()
			if len(d.people) != 0 || len(d.places) != 0 {
				t.Errorf("left behind: %v, %d", d.people, len(d.places))
			}
		})
	})
}
