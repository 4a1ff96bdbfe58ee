// SPDX-License-Identifier: MIT
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.servlet.ServletContextHandler;
import org.eclipse.jetty.servlet.ServletHolder;
import org.eclipse.jetty.websocket.api.Session;
import org.eclipse.jetty.websocket.api.WebSocketAdapter;
import org.eclipse.jetty.websocket.servlet.ServletUpgradeRequest;
import org.eclipse.jetty.websocket.servlet.ServletUpgradeResponse;
import org.eclipse.jetty.websocket.servlet.WebSocketServlet;
import org.eclipse.jetty.websocket.servlet.WebSocketServletFactory;

/**
 * JettyServer open|origin|protocol|size PORT VARIANT: an echo at /events in an
 * embedded Jetty, with one reason to refuse unless VARIANT is "fixed".
 */
public class JettyServer {
	static String mode;
	static boolean fixed;

	public static class Echo extends WebSocketAdapter {
		@Override
		public void onWebSocketText(String text) {
			Session session = getSession();
			if (session != null)
				session.getRemote().sendString(text, null);
		}
	}

	/** Null refuses, with 503 unless an error was sent. */
	static Object create(ServletUpgradeRequest request, ServletUpgradeResponse response) {
		String origin = request.getOrigin();
		try {
			if (!fixed && mode.equals("origin") && origin != null
					&& !origin.equals("https://shop.example")) {
				response.sendForbidden("Origin not allowed");
				return null;
			}
			if (!fixed && mode.equals("protocol") && !request.getSubProtocols().contains("events.v2"))
				return null;
		} catch (java.io.IOException e) {
			return null;
		}
		if (request.getSubProtocols().contains("events.v2"))
			response.setAcceptedSubProtocol("events.v2");
		return new Echo();
	}

	public static class Events extends WebSocketServlet {
		@Override
		public void configure(WebSocketServletFactory factory) {
			factory.setCreator(JettyServer::create);
		}
	}

	public static void main(String[] args) throws Exception {
		mode = args[0];
		fixed = args[2].equals("fixed");
		Server server = new Server();
		HttpConfiguration configuration = new HttpConfiguration();
		if (mode.equals("size") && !fixed)
			configuration.setRequestHeaderSize(4096);
		ServerConnector connector =
			new ServerConnector(server, 1, 1, new HttpConnectionFactory(configuration));
		connector.setHost("127.0.0.1");
		connector.setPort(Integer.parseInt(args[1]));
		server.addConnector(connector);
		ServletContextHandler context = new ServletContextHandler();
		context.setContextPath("/");
		context.addServlet(new ServletHolder(new Events()), "/events");
		server.setHandler(context);
		server.start();
		server.join();
	}
}
