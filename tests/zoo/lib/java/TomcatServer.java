// SPDX-License-Identifier: MIT
import java.io.IOException;
import javax.servlet.Filter;
import javax.servlet.FilterChain;
import javax.servlet.ServletContextEvent;
import javax.servlet.ServletContextListener;
import javax.servlet.ServletException;
import javax.servlet.ServletRequest;
import javax.servlet.ServletResponse;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;
import javax.websocket.DeploymentException;
import javax.websocket.Endpoint;
import javax.websocket.EndpointConfig;
import javax.websocket.MessageHandler;
import javax.websocket.Session;
import javax.websocket.server.ServerContainer;
import javax.websocket.server.ServerEndpointConfig;
import org.apache.catalina.Context;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.descriptor.web.FilterDef;
import org.apache.tomcat.util.descriptor.web.FilterMap;
import org.apache.tomcat.websocket.server.WsSci;

/**
 * TomcatServer ajp|origin|path|key|size PORT VARIANT FOLDER: an echo at /chat in an
 * embedded Tomcat, with one reason to refuse unless VARIANT is "fixed"; with ajp it
 * has none, and speaks AJP at the next port.
 */
public class TomcatServer {
	static boolean checksOrigin;

	public static class Echo extends Endpoint {
		@Override
		public void onOpen(Session session, EndpointConfig config) {
			session.addMessageHandler(String.class, new MessageHandler.Whole<String>() {
				@Override
				public void onMessage(String text) {
					session.getAsyncRemote().sendText(text);
				}
			});
		}
	}

	public static class Origins extends ServerEndpointConfig.Configurator {
		@Override
		public boolean checkOrigin(String origin) {
			return !checksOrigin || origin == null || origin.isEmpty()
				|| origin.equals("https://shop.example");
		}
	}

	public static class Deploy implements ServletContextListener {
		@Override
		public void contextInitialized(ServletContextEvent event) {
			ServerContainer container = (ServerContainer) event.getServletContext()
				.getAttribute("javax.websocket.server.ServerContainer");
			try {
				container.addEndpoint(ServerEndpointConfig.Builder.create(Echo.class, "/chat")
					.configurator(new Origins()).build());
			} catch (DeploymentException e) {
				throw new IllegalStateException(e);
			}
		}
	}

	public static class Key implements Filter {
		@Override
		public void doFilter(ServletRequest request, ServletResponse response, FilterChain next)
				throws IOException, ServletException {
			if ("k1".equals(((HttpServletRequest) request).getHeader("X-Api-Key"))) {
				next.doFilter(request, response);
				return;
			}
			((HttpServletResponse) response).setStatus(401);
			response.setContentType("application/json");
			response.getWriter().write("{\"message\":\"No API key found in request\"}");
		}
	}

	public static class Nothing extends HttpServlet {
		@Override
		protected void doGet(HttpServletRequest request, HttpServletResponse response)
				throws IOException {
			response.sendError(404);
		}
	}

	static void wantKey(Context context) {
		FilterDef filter = new FilterDef();
		filter.setFilterName("key");
		filter.setFilter(new Key());
		filter.setAsyncSupported("true");
		context.addFilterDef(filter);
		FilterMap everywhere = new FilterMap();
		everywhere.setFilterName("key");
		everywhere.addURLPattern("/*");
		context.addFilterMap(everywhere);
	}

	static Connector ajp(int port) {
		Connector connector = new Connector("AJP/1.3");
		connector.setPort(port);
		connector.setProperty("address", "127.0.0.1");
		connector.setProperty("secretRequired", "false");
		return connector;
	}

	public static void main(String[] args) throws Exception {
		String mode = args[0], port = args[1], folder = args[3];
		boolean fixed = args[2].equals("fixed");
		checksOrigin = mode.equals("origin") && !fixed;

		Connector connector = new Connector();
		connector.setPort(Integer.parseInt(port));
		connector.setProperty("address", "127.0.0.1");
		connector.setProperty("maxThreads", "4");
		if (mode.equals("size"))
			connector.setProperty("maxHttpHeaderSize", fixed ? "32768" : "4096");

		Tomcat tomcat = new Tomcat();
		tomcat.setBaseDir(folder);
		tomcat.setSilent(true);
		tomcat.setConnector(connector);
		if (mode.equals("ajp"))
			tomcat.getService().addConnector(ajp(Integer.parseInt(port) + 1));
		Context context = tomcat.addContext(mode.equals("path") ? "/app" : "", folder);
		context.addServletContainerInitializer(new WsSci(), null);
		context.addApplicationListener(Deploy.class.getName());
		Tomcat.addServlet(context, "nothing", new Nothing());
		context.addServletMappingDecoded("/", "nothing");
		if (mode.equals("key") && !fixed)
			wantKey(context);
		tomcat.start();
		tomcat.getServer().await();
	}
}
