//go:build weakorder

package app_test

const weakOrder = true
