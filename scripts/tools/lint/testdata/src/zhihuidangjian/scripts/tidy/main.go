// Tidy is no part of the product.
package main

import "time"

func main() { time.Sleep(time.Second) }
