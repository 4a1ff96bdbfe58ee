// SPDX-License-Identifier: MIT
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.websocket.CloseReason;
import jakarta.websocket.DeploymentException;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.MessageHandler;
import jakarta.websocket.Session;
import jakarta.websocket.server.ServerContainer;
import jakarta.websocket.server.ServerEndpointConfig;
import java.io.IOException;
import org.apache.catalina.Context;
import org.apache.catalina.authenticator.BasicAuthenticator;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;
import org.apache.catalina.valves.RemoteAddrValve;
import org.apache.tomcat.util.descriptor.web.LoginConfig;
import org.apache.tomcat.util.descriptor.web.SecurityCollection;
import org.apache.tomcat.util.descriptor.web.SecurityConstraint;
import org.apache.tomcat.websocket.server.WsSci;

/**
 * TomcatTen MODE PORT VARIANT FOLDER: an echo at /ws/orders in an embedded Tomcat 10, with
 * the reason to refuse that MODE names unless VARIANT is "fixed"; "context" puts it below
 * /erp in both.
 */
public class TomcatTen {
	static String reason = "";

	public static class Orders extends Endpoint {
		@Override
		public void onOpen(Session session, EndpointConfig config) {
			if (reason.equals("tenant") && !session.getRequestParameterMap().containsKey("tenant")) {
				close(session);
				return;
			}
			if (reason.equals("idle"))
				session.setMaxIdleTimeout(2500);
			session.addMessageHandler(new MessageHandler.Whole<String>() {
				@Override
				public void onMessage(String text) {
					session.getAsyncRemote().sendText(text);
				}
			});
		}

		private static void close(Session session) {
			try {
				session.close(new CloseReason(CloseReason.CloseCodes.CANNOT_ACCEPT,
					"tenant is required"));
			} catch (IOException e) {
				System.err.println(e);
			}
		}
	}

	public static class Origins extends ServerEndpointConfig.Configurator {
		@Override
		public boolean checkOrigin(String origin) {
			return !reason.equals("origin") || origin == null
				|| origin.equals("https://erp.example");
		}
	}

	public static class Page extends HttpServlet {
		@Override
		protected void doGet(HttpServletRequest request, HttpServletResponse response)
				throws IOException {
			if (!request.getServletPath().equals("/"))
				response.sendError(404);
			else
				response.getWriter().println("hello");
		}
	}

	static void deploy(ServerContainer container) {
		try {
			container.addEndpoint(ServerEndpointConfig.Builder.create(Orders.class, "/ws/orders")
				.configurator(new Origins()).build());
		} catch (DeploymentException e) {
			throw new IllegalStateException(e);
		}
	}

	/** A password, and a role that only one of the two who have one plays. */
	static void addRole(Tomcat tomcat, Context context, String role) {
		SecurityCollection below = new SecurityCollection();
		below.addPattern("/ws/*");
		SecurityConstraint constraint = new SecurityConstraint();
		constraint.addCollection(below);
		constraint.addAuthRole(role);
		context.addSecurityRole("user");
		context.addSecurityRole("admin");
		context.addConstraint(constraint);
		LoginConfig login = new LoginConfig();
		login.setAuthMethod("BASIC");
		login.setRealmName("erp");
		context.setLoginConfig(login);
		context.getPipeline().addValve(new BasicAuthenticator());
		tomcat.addUser("ann", "s3");
		tomcat.addRole("ann", "user");
		tomcat.addUser("bob", "s4");
		tomcat.addRole("bob", "admin");
	}

	public static void main(String[] args) throws Exception {
		String mode = args[0], folder = args[3];
		boolean fixed = args[2].equals("fixed");
		if (!fixed)
			reason = mode;

		Tomcat tomcat = new Tomcat();
		tomcat.setBaseDir(folder);
		tomcat.setSilent(true);
		tomcat.setPort(Integer.parseInt(args[1]));
		Connector connector = tomcat.getConnector();
		connector.setProperty("address", "127.0.0.1");
		connector.setProperty("maxHttpHeaderSize", reason.equals("size") ? "4096" : "65536");

		Context context = tomcat.addContext(mode.equals("context") ? "/erp" : "", folder);
		Tomcat.addServlet(context, "page", new Page());
		context.addServletMappingDecoded("/", "page");
		context.addServletContainerInitializer(new WsSci(), null);
		context.addServletContainerInitializer((classes, servlets) -> deploy((ServerContainer)
			servlets.getAttribute("jakarta.websocket.server.ServerContainer")), null);
		if (reason.equals("address")) {
			RemoteAddrValve valve = new RemoteAddrValve();
			valve.setAllow("10\\..*|127\\.0\\.0\\.9");
			context.getPipeline().addValve(valve);
		}
		if (mode.equals("role"))
			addRole(tomcat, context, fixed ? "user" : "admin");
		tomcat.start();
		tomcat.getServer().await();
	}
}
