{-# LANGUAGE OverloadedStrings #-}
-- SPDX-License-Identifier: MIT
-- haskell MODE PORT VARIANT: echoes by the package websockets, alone or in Warp.
import Control.Monad (forever)
import qualified Data.Text as T
import qualified Network.HTTP.Types as H
import qualified Network.Wai as Wai
import qualified Network.Wai.Handler.Warp as Warp
import qualified Network.Wai.Handler.WebSockets as Wai
import qualified Network.WebSockets as WS
import System.Environment (getArgs)

echo :: WS.Connection -> IO ()
echo connection = forever $ do
  text <- WS.receiveData connection
  WS.sendTextData connection (text :: T.Text)

accept :: WS.ServerApp
accept pending = WS.acceptRequest pending >>= echo

-- What the library answers to those who are refused is its own.
application :: String -> WS.ServerApp
application "room" pending
  | WS.requestPath (WS.pendingRequest pending) /= "/chat/general" =
      WS.rejectRequest pending "No such room"
application "origin" pending
  | lookup "Origin" headers `notElem` [Nothing, Just "https://yesod.example"] =
      WS.rejectRequest pending "nope"
  where headers = WS.requestHeaders (WS.pendingRequest pending)
application "tabs" pending = do
  connection <- WS.acceptRequest pending
  WS.sendCloseCode connection 4029 ("too many tabs" :: T.Text)
application "throws" _ = error "Prelude.head: empty list"
application _ pending = accept pending

main :: IO ()
main = do
  [mode, port, variant] <- getArgs
  let fixed = variant == "fixed"
      settings = Warp.setHost "127.0.0.1" (Warp.setPort (read port) Warp.defaultSettings)
      page _ answer =
        answer (Wai.responseLBS H.status200 [("Content-Type", "text/html")] "<h1>Warp</h1>")
      noWebSocket _ answer = answer (Wai.responseLBS H.status400 [] "Not a WebSocket request")
      sockets = Wai.websocketsOr WS.defaultConnectionOptions accept
  case mode of
    "warp" -> Warp.runSettings settings (sockets noWebSocket)
    "warp page" -> Warp.runSettings settings (if fixed then sockets page else page)
    _ -> WS.runServer "127.0.0.1" (read port)
           (application (if fixed && mode /= "room" then "" else mode))
