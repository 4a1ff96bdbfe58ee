# SPDX-License-Identifier: MIT
# httpuv.R PORT MODE VARIANT: an echo by httpuv, as Shiny and Plumber stand on it.
library(httpuv)
given <- commandArgs(TRUE)
port <- as.integer(given[1])
mode <- if (given[3] == "fixed") "echo" else given[2]

page <- "<html><head><title>Shiny</title></head><body>Shiny</body></html>"
refusal <- list(status = 401L, headers = list("Content-Type" = "application/json"),
                body = '{"error":"Authentication required"}')
app <- list(
  call = function(req)
    list(status = 200L, headers = list("Content-Type" = "text/html"), body = page),
  onHeaders = function(req)
    if (mode == "key" && !identical(req$HTTP_X_PLUMBER_KEY, "p1")) refusal,
  onWSOpen = function(ws) {
    if (mode == "limit") ws$close(1008L, "session limit")
    ws$onMessage(function(binary, message) ws$send(message))
  })
runServer("127.0.0.1", port, app)
