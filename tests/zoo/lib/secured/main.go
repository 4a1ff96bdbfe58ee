// SPDX-License-Identifier: MIT
// secured MODE PORT VARIANT: an echo by gorilla/websocket behind a handler of another
// package: unrolled/secure, or abbot/go-http-auth.
package main

import (
	"net/http"
	"os"

	auth "github.com/abbot/go-http-auth"
	"github.com/gorilla/handlers"
	"github.com/gorilla/websocket"
	"github.com/unrolled/secure"
)

var upgrader = websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}

func echo(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	for {
		kind, data, err := conn.ReadMessage()
		if err != nil || conn.WriteMessage(kind, data) != nil {
			return
		}
	}
}

func main() {
	mode, port, fixed := os.Args[1], os.Args[2], os.Args[3] == "fixed"
	mux := http.NewServeMux()
	mux.HandleFunc("/ws", echo)
	var handler http.Handler = mux
	switch {
	case fixed:
	case mode == "host":
		handler = secure.New(secure.Options{AllowedHosts: []string{"live.example"}}).Handler(mux)
	case mode == "redirect":
		handler = secure.New(secure.Options{SSLRedirect: true,
			SSLProxyHeaders: map[string]string{"X-Forwarded-Proto": "https"}}).Handler(mux)
	case mode == "cors":
		handler = handlers.CORS(handlers.AllowedOrigins([]string{"https://live.example"}))(mux)
	case mode == "type":
		handler = handlers.ContentTypeHandler(mux, "application/json")
	case mode == "canonical":
		handler = handlers.CanonicalHost("http://live.example", 302)(mux)
	case mode == "methods":
		handler = handlers.MethodHandler{"POST": mux}
	case mode == "basic":
		a := auth.NewBasicAuthenticator("Plant", func(user, realm string) string {
			if user == "ann" {
				return "{SHA}" + os.Getenv("PASSWORD")
			}
			return ""
		})
		handler = auth.JustCheck(a, mux.ServeHTTP)
	case mode == "digest":
		a := auth.NewDigestAuthenticator("Plant", func(user, realm string) string {
			if user == "ann" {
				return os.Getenv("PASSWORD")
			}
			return ""
		})
		handler = auth.JustCheck(a, mux.ServeHTTP)
	case mode == "timeout":
		handler = http.TimeoutHandler(mux, 0, "late")
	}
	panic(http.ListenAndServe("127.0.0.1:"+port, handler))
}
