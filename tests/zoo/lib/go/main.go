// SPDX-License-Identifier: MIT

// goserver MODE PORT [fixed]: echoes by Go's WebSocket libraries, each with one
// reason to refuse at /chat; the mended variant has none.
package main

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	netws "golang.org/x/net/websocket"
	nhooyr "nhooyr.io/websocket"
)

var fixed = len(os.Args) > 3 && os.Args[3] == "fixed"

func anyOrigin(*http.Request) bool { return true }

func echo(conn *websocket.Conn) {
	for {
		kind, data, err := conn.ReadMessage()
		if err != nil || conn.WriteMessage(kind, data) != nil {
			return
		}
	}
}

// gorilla is an echo with this check of the Origin (nil: the library's own).
func gorilla(check func(*http.Request) bool) http.HandlerFunc {
	upgrader := websocket.Upgrader{CheckOrigin: check}
	return func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		echo(conn)
	}
}

// nhooyrEcho closes those that did not settle on the subprotocol, if one is
// wanted.
func nhooyrEcho(options nhooyr.AcceptOptions, subprotocol string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, err := nhooyr.Accept(w, r, &options)
		if err != nil {
			return
		}
		if subprotocol != "" && conn.Subprotocol() != subprotocol {
			conn.Close(nhooyr.StatusPolicyViolation,
				"client must speak the "+subprotocol+" subprotocol")
			return
		}
		for {
			kind, data, err := conn.Read(context.Background())
			if err != nil || conn.Write(context.Background(), kind, data) != nil {
				return
			}
		}
	}
}

func netEcho(conn *netws.Conn) { io.Copy(conn, conn) }

// guarded serves the echo unless refuse has answered.
func guarded(refuse func(http.ResponseWriter, *http.Request) bool) http.HandlerFunc {
	socket := gorilla(nil)
	return func(w http.ResponseWriter, r *http.Request) {
		if fixed || !refuse(w, r) {
			socket(w, r)
		}
	}
}

func originPatterns() http.Handler {
	options := nhooyr.AcceptOptions{OriginPatterns: []string{"shop.example"}}
	if fixed {
		options.OriginPatterns = []string{"*"}
	}
	return nhooyrEcho(options, "")
}

func subprotocolWanted() http.Handler {
	options := nhooyr.AcceptOptions{Subprotocols: []string{"echo.v1"}}
	if fixed {
		return nhooyrEcho(options, "")
	}
	return nhooyrEcho(options, "echo.v1")
}

func anyValidOrigin() http.Handler {
	if fixed {
		return netws.Server{Handler: netEcho}
	}
	return netws.Handler(netEcho)
}

func oneOrigin() http.Handler {
	handshake := func(_ *netws.Config, r *http.Request) error {
		origin := r.Header.Get("Origin")
		if fixed || origin == "" || origin == "https://shop.example" {
			return nil
		}
		return errors.New("foreign origin")
	}
	return netws.Server{Handshake: handshake, Handler: netEcho}
}

func sameOrigin() http.Handler {
	if fixed {
		return gorilla(anyOrigin)
	}
	return gorilla(nil)
}

// sameOriginAndScheme trusts X-Forwarded-Proto for the scheme.
func sameOriginAndScheme() http.Handler {
	return gorilla(func(r *http.Request) bool {
		origin, scheme := r.Header.Get("Origin"), r.Header.Get("X-Forwarded-Proto")
		if scheme == "" {
			scheme = "http"
		}
		return origin == "" || origin == scheme+"://"+r.Host
	})
}

func localHostOnly() http.Handler {
	return guarded(func(w http.ResponseWriter, r *http.Request) bool {
		host, _ := url.Parse("http://" + r.Host)
		if host.Hostname() == "localhost" {
			return false
		}
		http.Error(w, "Invalid Host header", http.StatusForbidden)
		return true
	})
}

func tokenWanted() http.Handler {
	return guarded(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("access_token") == "good" {
			return false
		}
		w.Header().Set("WWW-Authenticate",
			`Bearer error="invalid_token", error_description="The token expired"`)
		http.Error(w, `{"error":"token is expired"}`, http.StatusUnauthorized)
		return true
	})
}

func rateUsedUp() http.Handler {
	return guarded(func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Retry-After", "60")
		w.Header().Set("X-RateLimit-Remaining", "0")
		http.Error(w, "Too Many Requests", http.StatusTooManyRequests)
		return true
	})
}

func browsersOnly() http.Handler {
	return guarded(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.Header.Get("User-Agent"), "Mozilla") {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		return true
	})
}

func jsonEverywhere() http.Handler {
	return guarded(func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"status":"ok"}`)
		return true
	})
}

const page = `<!doctype html><title>App</title><div id=app></div><script>
const ws = new WebSocket((location.protocol === "https:" ? "wss://" : "ws://") +
  location.host + "/api/v1/stream");
</script>`

// pageEverywhere has the socket at another path, which its page names.
func pageEverywhere() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/v1/stream", gorilla(nil))
	mux.HandleFunc("/", guarded(func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, page)
		return true
	}))
	return mux
}

func slashAdded() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/chat/", gorilla(nil))
	return mux
}

// hijackerHidden: http.TimeoutHandler hands on a writer that cannot hijack.
func hijackerHidden() http.Handler {
	if fixed {
		return gorilla(nil)
	}
	return http.TimeoutHandler(gorilla(nil), 5*time.Second, "timeout")
}

// postOnly: the route was registered for another method.
func postOnly() http.Handler {
	return guarded(func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Allow", "POST")
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
		return true
	})
}

// closedWithoutSubprotocol accepts, and then hangs up on those that offered none
// of its own.
func closedWithoutSubprotocol() http.Handler {
	upgrader := websocket.Upgrader{CheckOrigin: anyOrigin,
		Subprotocols: []string{"v1.panel", "v2.panel"}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		if conn.Subprotocol() != "" {
			echo(conn)
			return
		}
		conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(
			websocket.CloseProtocolError, "subprotocol required"))
	})
}

var modes = map[string]func() http.Handler{
	"any-valid-origin":       anyValidOrigin,
	"browsers-only":          browsersOnly,
	"closed-no-subprotocol":  closedWithoutSubprotocol,
	"hijacker-hidden":        hijackerHidden,
	"json-everywhere":        jsonEverywhere,
	"local-host-only":        localHostOnly,
	"one-origin":             oneOrigin,
	"origin-patterns":        originPatterns,
	"page-everywhere":        pageEverywhere,
	"post-only":              postOnly,
	"rate-used-up":           rateUsedUp,
	"same-origin":            sameOrigin,
	"same-origin-and-scheme": sameOriginAndScheme,
	"slash-added":            slashAdded,
	"subprotocol-wanted":     subprotocolWanted,
	"token-wanted":           tokenWanted,
}

// Modes that answer at every path; the others know /chat alone.
var everywhere = map[string]bool{
	"hijacker-hidden": true, "json-everywhere": true, "page-everywhere": true, "slash-added": true,
}

func main() {
	mode, port := os.Args[1], os.Args[2]
	handler := modes[mode]()
	if !everywhere[mode] {
		mux := http.NewServeMux()
		mux.Handle("/chat", handler)
		handler = mux
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+port, handler))
}
