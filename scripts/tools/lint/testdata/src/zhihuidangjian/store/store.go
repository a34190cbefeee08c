// Package store writes for others.
package store

import "zhihuidangjian/model"

func Keep(c *model.Collection[string]) error { // want Keep:"writes by Collection.Insert"
	return c.Insert("")
}

func Look(c *model.Collection[string]) error {
	_, err := c.Get("")
	return err
}
