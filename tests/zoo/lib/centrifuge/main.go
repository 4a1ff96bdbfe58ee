// SPDX-License-Identifier: MIT

// centrifugeserver MODE PORT [fixed]: Centrifuge's WebSocket at /connection/websocket. It
// asks for the page's own origin in the mode "origin", for a cookie in "cookie".
package main

import (
	"context"
	"log"
	"net/http"
	"os"

	"github.com/centrifugal/centrifuge"
)

var fixed = len(os.Args) > 3 && os.Args[3] == "fixed"

// known lets in those with a session, or everybody.
func known(everybody bool, next http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie("auth_session")
		if !everybody && (err != nil || cookie.Value == "") {
			http.Error(w, "Unauthorized", http.StatusUnauthorized)
			return
		}
		user := &centrifuge.Credentials{UserID: "1"}
		next.ServeHTTP(w, r.WithContext(centrifuge.SetCredentials(r.Context(), user)))
	}
}

func main() {
	mode, port := os.Args[1], os.Args[2]
	node, err := centrifuge.New(centrifuge.DefaultConfig)
	if err != nil {
		log.Fatal(err)
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{}, nil
	})
	node.OnConnect(func(*centrifuge.Client) {})
	if err := node.Run(); err != nil {
		log.Fatal(err)
	}
	config := centrifuge.WebsocketConfig{}
	if mode == "open" || fixed {
		config.CheckOrigin = func(*http.Request) bool { return true }
	}
	sockets := centrifuge.NewWebsocketHandler(node, config)
	http.Handle("/connection/websocket", known(mode != "cookie" || fixed, sockets))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+port, nil))
}
