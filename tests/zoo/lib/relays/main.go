// SPDX-License-Identifier: MIT

// relayserver MODE PORT [fixed]: forward proxies by goproxy and by go-socks5, and a gRPC
// gateway's stream by WebSocket (grpc-websocket-proxy), each with one reason to refuse.
package main

import (
	"context"
	"log"
	"net"
	"net/http"
	"os"

	socks5 "github.com/armon/go-socks5"
	"github.com/elazarl/goproxy"
	"github.com/elazarl/goproxy/ext/auth"
	"github.com/tmc/grpc-websocket-proxy/wsproxy"
)

type nobody struct{}

func (nobody) Allow(ctx context.Context, _ *socks5.Request) (context.Context, bool) {
	return ctx, false
}

func socks(address string, config socks5.Config) {
	server, err := socks5.New(&config)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(server.ListenAndServe("tcp", address))
}

func connect(address, reason string) {
	proxy := goproxy.NewProxyHttpServer()
	if reason == "http deny" {
		proxy.OnRequest().HandleConnect(goproxy.AlwaysReject)
	}
	if reason == "http password" {
		auth.ProxyBasic(proxy, "corp", func(user, password string) bool {
			return user == "ann" && password == "s3"
		})
	}
	log.Fatal(http.ListenAndServe(address, proxy))
}

// watch is an endless answer, of which the proxy makes messages.
func watch(address string, hasSockets bool) {
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/watch", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte("{\"result\":1}\n"))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	var handler http.Handler = mux
	if hasSockets {
		handler = wsproxy.WebsocketProxy(mux)
	}
	log.Fatal(http.Serve(listener, handler))
}

func main() {
	mode, address, reason := os.Args[1], "127.0.0.1:"+os.Args[2], os.Args[1]
	if len(os.Args) > 3 && os.Args[3] == "fixed" {
		reason = ""
	}
	switch mode {
	case "socks deny", "socks password":
		config := socks5.Config{}
		if reason == "socks deny" {
			config.Rules = nobody{}
		}
		if reason == "socks password" {
			config.Credentials = socks5.StaticCredentials{"ann": "s3"}
		}
		socks(address, config)
	case "http deny", "http password":
		connect(address, reason)
	default:
		watch(address, reason != "grpc off")
	}
}
