// SPDX-License-Identifier: MIT

// chiserver MODE PORT [fixed]: a board in chi, its page at / and an echo of
// gorilla's at /ws, with middleware that refuses; the mended variant has none.
package main

import (
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/go-chi/chi"
	"github.com/go-chi/chi/middleware"
	"github.com/gorilla/websocket"
)

var fixed = len(os.Args) > 3 && os.Args[3] == "fixed"

func anyOrigin(*http.Request) bool { return true }

// forwarded is what a proxy says of the client's request, or the request itself.
func forwarded(r *http.Request, field, own string) string {
	if value := r.Header.Get(field); value != "" {
		return value
	}
	return own
}

// sameSite compares the Origin with the scheme and host that a proxy tells.
func sameSite(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	site := forwarded(r, "X-Forwarded-Proto", "http") + "://" +
		forwarded(r, "X-Forwarded-Host", r.Host)
	return origin == "" || strings.EqualFold(origin, site)
}

func live(check func(*http.Request) bool) http.HandlerFunc {
	upgrader := websocket.Upgrader{CheckOrigin: check}
	return func(w http.ResponseWriter, r *http.Request) {
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
}

// policy knows two tokens, and one of them may not.
func policy(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := r.Header.Get("Authorization")
		switch {
		case token == "Bearer admin-7" || r.URL.Path == "/":
			next.ServeHTTP(w, r)
		case token == "Bearer guest-3":
			http.Error(w, "access denied by policy", http.StatusForbidden)
		default:
			http.Error(w, "token not found", http.StatusUnauthorized)
		}
	})
}

type wrapper = func(http.Handler) http.Handler

func board(check func(*http.Request) bool, broken, mended wrapper) http.Handler {
	router := chi.NewRouter()
	if fixed {
		broken = mended
	}
	if broken != nil {
		router.Use(broken)
	}
	router.Get("/", func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("<!doctype html><title>board</title>"))
	})
	router.Get("/ws", live(check))
	return router
}

// reverseProxy is before the next port; its Director deletes Connection.
func reverseProxy() http.Handler {
	port, _ := strconv.Atoi(os.Args[2])
	proxy := httputil.NewSingleHostReverseProxy(
		&url.URL{Scheme: "http", Host: "127.0.0.1:" + strconv.Itoa(port+1)})
	direct := proxy.Director
	proxy.Director = func(r *http.Request) {
		direct(r)
		if !fixed {
			r.Header.Del("Connection")
		}
	}
	return proxy
}

var password = middleware.BasicAuth("board", map[string]string{"ann": "open"})

var modes = map[string]func() http.Handler{
	"basic":         func() http.Handler { return board(anyOrigin, password, nil) },
	"open":          func() http.Handler { return board(anyOrigin, nil, nil) },
	"policy":        func() http.Handler { return board(anyOrigin, policy, nil) },
	"reverse-proxy": reverseProxy,
	"same-host":     func() http.Handler { return board(nil, nil, nil) },
	"same-site":     func() http.Handler { return board(sameSite, nil, nil) },
	"slashes": func() http.Handler {
		return board(anyOrigin, middleware.RedirectSlashes, middleware.StripSlashes)
	},
	"throttle": func() http.Handler { return board(anyOrigin, middleware.Throttle(1), nil) },
}

func main() {
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[2], modes[os.Args[1]]()))
}
