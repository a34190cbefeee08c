package main

import "testing"

func TestRaces(t *testing.T) {
	s := &summary{output: map[string][]string{}, racing: map[string]bool{}, open: map[string]int{}, counts: map[string]int{}}
	for _, e := range []event{
		{"output", "p", "TestA", "==================\n", 0},
		{"output", "p", "TestA", "WARNING: DATA RACE\n", 0},
		{"output", "q", "TestZ", "not of it\n", 0},
		{"pass", "p", "TestA", "", 0},
		{"output", "p", "TestB", "Write at 0x00\n", 0},
		{"output", "p", "TestB", "==================\n", 0},
		{"output", "p", "TestB", "after\n", 0},
		{"fail", "p", "TestB", "", 0},
	} {
		s.take(e)
	}
	if len(s.races) != 1 || len(s.races[0]) != 2 || s.races[0][0] != "DATA RACE p TestA\n" || s.races[0][1] != "Write at 0x00\n" {
		t.Errorf("a report that begins in a test that passes: %q", s.races)
	}
	if len(s.failed) != 1 || s.failed[0] != "p TestB" {
		t.Errorf("failed: %q", s.failed)
	}
}
