// SPDX-License-Identifier: MIT

// ginserver MODE PORT [fixed]: echoes of gorilla's in gin (at /api/v1/ws) and in
// Echo (at /ws), each with one reason to refuse; the mended variant has none.
package main

import (
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/websocket"
	"github.com/labstack/echo"
	"github.com/labstack/echo/middleware"
)

var fixed = len(os.Args) > 3 && os.Args[3] == "fixed"

func anyOrigin(*http.Request) bool { return true }

// developmentOrigin: what was set while the page still came from npm.
func developmentOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	return origin == "" || strings.HasSuffix(origin, "://localhost:3000")
}

func upgrade(w http.ResponseWriter, r *http.Request, check func(*http.Request) bool) {
	upgrader := websocket.Upgrader{CheckOrigin: check}
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

func wantToken(c *gin.Context) {
	if c.Query("access_token") != "ok" {
		c.AbortWithStatusJSON(http.StatusUnauthorized,
			gin.H{"code": 40101, "msg": "missing or malformed jwt"})
	}
}

func wantRole(c *gin.Context) {
	switch c.Query("access_token") {
	case "operator":
	case "viewer":
		c.AbortWithStatusJSON(http.StatusForbidden, gin.H{"error": "role 'operator' required"})
	default:
		c.AbortWithStatusJSON(http.StatusUnauthorized, gin.H{"error": "unauthenticated"})
	}
}

// ginServer: before the socket stands what middleware says (nil: nothing).
func ginServer(middleware gin.HandlerFunc, check func(*http.Request) bool) http.Handler {
	if fixed {
		middleware, check = nil, anyOrigin
	}
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	api := engine.Group("/api/v1")
	if middleware != nil {
		api.Use(middleware)
	}
	api.GET("/ws", func(c *gin.Context) { upgrade(c.Writer, c.Request, check) })
	return engine
}

func echoServer(middleware echo.MiddlewareFunc) http.Handler {
	server := echo.New()
	if !fixed {
		server.Use(middleware)
	}
	server.GET("/ws", func(c echo.Context) error {
		upgrade(c.Response(), c.Request(), anyOrigin)
		return nil
	})
	return server
}

func echoToken() http.Handler {
	return echoServer(middleware.JWTWithConfig(middleware.JWTConfig{
		SigningKey: []byte("x"), TokenLookup: "query:token"}))
}

func echoKey() http.Handler {
	return echoServer(middleware.KeyAuth(func(key string, c echo.Context) (bool, error) {
		return key == "open", nil
	}))
}

var modes = map[string]func() http.Handler{
	"echo-key":   echoKey,
	"echo-token": echoToken,
	"gin":        func() http.Handler { return ginServer(nil, anyOrigin) },
	"gin-origin": func() http.Handler { return ginServer(nil, developmentOrigin) },
	"gin-role":   func() http.Handler { return ginServer(wantRole, anyOrigin) },
	"gin-token":  func() http.Handler { return ginServer(wantToken, anyOrigin) },
}

func main() {
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[2], modes[os.Args[1]]()))
}
