// SPDX-License-Identifier: MIT
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;

/** JdkServer PORT: a page by the HTTP server of the JDK, which has no WebSockets. */
public class JdkServer {
	static void answer(HttpExchange exchange) throws IOException {
		byte[] page = "<h1>stock</h1>".getBytes();
		exchange.getResponseHeaders().set("Content-Type", "text/html");
		exchange.sendResponseHeaders(200, page.length);
		exchange.getResponseBody().write(page);
		exchange.close();
	}

	public static void main(String[] args) throws IOException {
		InetSocketAddress address = new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0]));
		HttpServer server = HttpServer.create(address, 0);
		server.createContext("/", JdkServer::answer);
		server.start();
	}
}
