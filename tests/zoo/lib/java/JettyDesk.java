// SPDX-License-Identifier: MIT
import java.io.IOException;
import java.util.EnumSet;
import javax.servlet.DispatcherType;
import javax.servlet.Filter;
import javax.servlet.FilterChain;
import javax.servlet.ServletException;
import javax.servlet.ServletRequest;
import javax.servlet.ServletResponse;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.servlet.ServletContextHandler;
import org.eclipse.jetty.websocket.api.WebSocketAdapter;
import org.eclipse.jetty.websocket.servlet.ServletUpgradeRequest;
import org.eclipse.jetty.websocket.servlet.ServletUpgradeResponse;
import org.eclipse.jetty.websocket.servlet.WebSocketServlet;
import org.eclipse.jetty.websocket.servlet.WebSocketServletFactory;

/**
 * JettyDesk MODE PORT VARIANT: a web application in an embedded Jetty, with pages
 * and an echo at every path below /ws; one reason to refuse unless VARIANT is
 * "fixed". MODE is open, context, idle, login, no-socket, origin-missing,
 * parameter or protocol.
 */
public class JettyDesk {
	static String mode;

	static boolean is(String name) {
		return mode.equals(name);
	}

	public static class Echo extends WebSocketAdapter {
		@Override
		public void onWebSocketText(String text) {
			if (isConnected())
				getRemote().sendString(text, null);
		}
	}

	static String refusal(ServletUpgradeRequest request) {
		if (is("parameter") && !request.getParameterMap().containsKey("deviceId"))
			return "Required parameter 'deviceId' is not present.";
		if (is("protocol") && !request.hasSubProtocol("quotes.v2"))
			return "No supported subprotocol";
		return null;
	}

	static Object create(ServletUpgradeRequest request, ServletUpgradeResponse response) {
		String refusal = refusal(request);
		try {
			if (is("origin-missing") && request.getOrigin() == null) {
				response.sendForbidden("Invalid origin");
				return null;
			}
			if (refusal != null) {
				response.sendError(400, refusal);
				return null;
			}
		} catch (IOException e) {
			return null;
		}
		if (is("protocol"))
			response.setAcceptedSubProtocol("quotes.v2");
		return new Echo();
	}

	public static class Sockets extends WebSocketServlet {
		@Override
		public void configure(WebSocketServletFactory factory) {
			factory.getPolicy().setIdleTimeout(is("idle") ? 2000 : 300000);
			factory.setCreator(JettyDesk::create);
		}
	}

	public static class Page extends HttpServlet {
		@Override
		protected void doGet(HttpServletRequest request, HttpServletResponse response)
				throws IOException {
			response.setContentType("text/html");
			response.getWriter().println("<html><title>Desk</title></html>");
		}
	}

	/** Who has no session goes to the page where one logs in. */
	public static class Login implements Filter {
		@Override
		public void doFilter(ServletRequest asked, ServletResponse answer, FilterChain next)
				throws IOException, ServletException {
			HttpServletRequest request = (HttpServletRequest) asked;
			HttpServletResponse response = (HttpServletResponse) answer;
			String cookies = request.getHeader("Cookie");
			if (request.getRequestURI().endsWith("/login")
					|| (cookies != null && cookies.contains("JSESSIONID=s-77"))) {
				next.doFilter(asked, answer);
				return;
			}
			response.setHeader("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate");
			response.sendRedirect(request.getContextPath() + "/login");
		}
	}

	static ServletContextHandler application() {
		ServletContextHandler context = new ServletContextHandler(ServletContextHandler.SESSIONS);
		context.setContextPath(is("context") ? "/desk" : "/");
		context.addServlet(Page.class, "/");
		if (!is("no-socket"))
			context.addServlet(Sockets.class, "/ws/*");
		if (is("login"))
			context.addFilter(Login.class, "/*", EnumSet.of(DispatcherType.REQUEST));
		return context;
	}

	public static void main(String[] args) throws Exception {
		mode = args[2].equals("fixed") ? "open" : args[0];
		Server server = new Server();
		ServerConnector connector = new ServerConnector(server, 1, 1);
		connector.setHost("127.0.0.1");
		connector.setPort(Integer.parseInt(args[1]));
		server.addConnector(connector);
		server.setHandler(application());
		server.start();
		server.join();
	}
}
