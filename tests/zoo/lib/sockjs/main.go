// SPDX-License-Identifier: MIT
// sockjsserver PORT: an echo at /echo/ by sockjs-go.
package main

import (
	"log"
	"net/http"
	"os"

	"github.com/igm/sockjs-go/sockjs"
)

func echo(session sockjs.Session) {
	for {
		message, err := session.Recv()
		if err != nil {
			return
		}
		session.Send(message)
	}
}

func main() {
	http.Handle("/echo/", sockjs.NewHandler("/echo", sockjs.DefaultOptions, echo))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
