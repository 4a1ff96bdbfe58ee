// SPDX-License-Identifier: MIT
// chat.pike PORT VARIANT: Pike's own WebSocket. It names a subprotocol to everybody.
void page(Protocols.HTTP.Server.Request request)
{
  request->response_and_finish(
    ([ "error": 200, "type": "text/html", "data": "<h1>Pike chat</h1>" ]));
}

int main(int count, array(string) words)
{
  int fixed = words[2] == "fixed";

  Protocols.WebSocket.Port(page,
    lambda(array(string) offered, Protocols.WebSocket.Request request) {
      object socket = request->websocket_accept(fixed ? 0 : "chat.v2");
      socket->onmessage = lambda(Protocols.WebSocket.Frame frame) {
        socket->send_text(frame->text);
      };
    }, (int)words[1], "127.0.0.1");
  return -1;
}
