// SPDX-License-Identifier: MIT
// beast MODE PORT VARIANT: an echo by Boost.Beast, as its examples have it; with
// `host` for the host name localhost alone, with `origin` for its own pages.
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/version.hpp>
#include <boost/beast/websocket.hpp>
#include <string>
#include <thread>

namespace beast = boost::beast;
namespace http = beast::http;
using tcp = boost::asio::ip::tcp;
using request = http::request<http::string_body>;

static std::string mode;
static bool fixed;

static void answer(tcp::socket &socket, const request &asked, http::status status,
		   const std::string &text)
{
	http::response<http::string_body> response{status, asked.version()};
	response.set(http::field::server, BOOST_BEAST_VERSION_STRING);
	response.set(http::field::content_type, "text/html");
	response.body() = text;
	response.prepare_payload();
	http::write(socket, response);
}

static bool foreign_origin(const request &asked)
{
	return !asked[http::field::origin].empty() &&
	       asked[http::field::origin] != "http://" + std::string(asked[http::field::host]);
}

static void echo(tcp::socket socket, const request &asked)
{
	beast::websocket::stream<tcp::socket> peer{std::move(socket)};
	peer.accept(asked);
	for (;;) {
		beast::flat_buffer message;
		peer.read(message);
		peer.text(peer.got_text());
		peer.write(message.data());
	}
}

static void serve(tcp::socket socket)
{
	beast::flat_buffer buffer;
	request asked;
	http::read(socket, buffer, asked);
	if (!beast::websocket::is_upgrade(asked))
		answer(socket, asked, http::status::not_found,
		       "The resource '" + std::string(asked.target()) + "' was not found.");
	else if (!fixed && mode == "host" && asked[http::field::host].find("localhost") != 0)
		answer(socket, asked, http::status::bad_request, "Illegal Host");
	else if (!fixed && mode == "origin" && foreign_origin(asked))
		answer(socket, asked, http::status::forbidden,
		       "Origin not allowed: " + std::string(asked[http::field::origin]));
	else
		echo(std::move(socket), asked);
}

int main(int, char **words)
{
	mode = words[1];
	fixed = words[3] == std::string("fixed");
	boost::asio::io_context context;
	tcp::acceptor acceptor{context, {boost::asio::ip::make_address("127.0.0.1"),
					 (unsigned short)std::stoi(words[2])}};
	for (;;) {
		tcp::socket socket{context};
		acceptor.accept(socket);
		std::thread([](tcp::socket own) {
			try {
				serve(std::move(own));
			} catch (std::exception &) {
				// The peer went away.
			}
		}, std::move(socket)).detach();
	}
}
