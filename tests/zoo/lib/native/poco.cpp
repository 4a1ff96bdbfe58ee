// SPDX-License-Identifier: MIT
// poco MODE PORT VARIANT: an echo by Poco, as its sample has it: a page at /, the
// socket everywhere else, with `auth` for those with a password.
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/WebSocket.h>
#include <unistd.h>

using namespace Poco::Net;

static bool wants_password;

struct Echo : HTTPRequestHandler {
	void handleRequest(HTTPServerRequest &request, HTTPServerResponse &response) override
	{
		if (wants_password && !request.hasCredentials()) {
			response.requireAuthentication("plant");
			response.setContentLength(0);
			response.send();
			return;
		}
		try {
			echo(request, response);
		} catch (WebSocketException &) {
			response.setStatusAndReason(HTTPResponse::HTTP_BAD_REQUEST);
			response.setContentLength(0);
			response.send();
		}
	}

	static void echo(HTTPServerRequest &request, HTTPServerResponse &response)
	{
		WebSocket peer(request, response);
		char data[1024];
		int flags, length;
		do {
			length = peer.receiveFrame(data, sizeof(data), flags);
			if (length > 0)
				peer.sendFrame(data, length, flags);
		} while (length > 0 &&
			 (flags & WebSocket::FRAME_OP_BITMASK) != WebSocket::FRAME_OP_CLOSE);
	}
};

struct Page : HTTPRequestHandler {
	void handleRequest(HTTPServerRequest &request, HTTPServerResponse &response) override
	{
		response.setContentType("text/html");
		response.send() << "<html><body><script>ws = new WebSocket('ws://"
				<< request.serverAddress().toString()
				<< "/ws');</script></body></html>";
	}
};

struct Factory : HTTPRequestHandlerFactory {
	HTTPRequestHandler *createRequestHandler(const HTTPServerRequest &request) override
	{
		if (request.getURI() == "/")
			return new Page;
		return new Echo;
	}
};

int main(int, char **words)
{
	wants_password = words[1] == std::string("auth") && words[3] != std::string("fixed");
	HTTPServer server(new Factory, ServerSocket(SocketAddress("127.0.0.1", words[2])),
			  new HTTPServerParams);
	server.start();
	pause();
}
