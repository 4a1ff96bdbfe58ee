// SPDX-License-Identifier: MIT

// oxyserver MODE PORT [fixed]: vulcand's oxy before the next port. It loses the Host or
// the Upgrade, or limits the rate, or has nothing wrong.
package main

import (
	"log"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/vulcand/oxy/forward"
	"github.com/vulcand/oxy/ratelimit"
	"github.com/vulcand/oxy/testutils"
	"github.com/vulcand/oxy/utils"
)

func limited(next http.Handler) http.Handler {
	source, err := utils.NewExtractor("client.ip")
	if err != nil {
		log.Fatal(err)
	}
	rates := ratelimit.NewRateSet()
	if err := rates.Add(30*time.Second, 1, 1); err != nil {
		log.Fatal(err)
	}
	limiter, err := ratelimit.New(next, source, rates)
	if err != nil {
		log.Fatal(err)
	}
	return limiter
}

func main() {
	reason, port := os.Args[1], os.Args[2]
	if len(os.Args) > 3 && os.Args[3] == "fixed" {
		reason = ""
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		log.Fatal(err)
	}
	behind := "http://127.0.0.1:" + strconv.Itoa(number+1)
	forwarder, err := forward.New(forward.PassHostHeader(reason != "host"))
	if err != nil {
		log.Fatal(err)
	}
	var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if reason == "upgrade" {
			r.Header.Del("Upgrade")
			r.Header.Del("Connection")
		}
		r.URL = testutils.ParseURI(behind)
		forwarder.ServeHTTP(w, r)
	})
	if reason == "rate" {
		handler = limited(handler)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+port, handler))
}
