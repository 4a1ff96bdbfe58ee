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

	/** A filter before everything that the context has. */
	static void addFilter(Context context, Filter filter) {
		FilterDef definition = new FilterDef();
		definition.setFilterName("first");
		definition.setFilter(filter);
		definition.setAsyncSupported("true");
		context.addFilterDef(definition);
		FilterMap everywhere = new FilterMap();
		everywhere.setFilterName("first");
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

	static Connector http(int port) {
		Connector connector = new Connector();
		connector.setPort(port);
		connector.setProperty("address", "127.0.0.1");
		connector.setProperty("maxThreads", "4");
		return connector;
	}

	/** The echo, below this path. */
	static Context addEcho(Tomcat tomcat, String path, String folder) {
		Context context = tomcat.addContext(path, folder);
		context.addServletContainerInitializer(new WsSci(), null);
		context.addApplicationListener(Deploy.class.getName());
		Tomcat.addServlet(context, "nothing", new Nothing());
		context.addServletMappingDecoded("/", "nothing");
		return context;
	}

	static Tomcat tomcat(Connector connector, String folder) {
		Tomcat tomcat = new Tomcat();
		tomcat.setBaseDir(folder);
		tomcat.setSilent(true);
		tomcat.setConnector(connector);
		return tomcat;
	}

	public static void main(String[] args) throws Exception {
		String mode = args[0], folder = args[3];
		int port = Integer.parseInt(args[1]);
		boolean fixed = args[2].equals("fixed");
		checksOrigin = mode.equals("origin") && !fixed;

		Connector connector = http(port);
		if (mode.equals("size"))
			connector.setProperty("maxHttpHeaderSize", fixed ? "32768" : "4096");

		Tomcat tomcat = tomcat(connector, folder);
		if (mode.equals("ajp"))
			tomcat.getService().addConnector(ajp(port + 1));
		Context context = addEcho(tomcat, mode.equals("path") ? "/app" : "", folder);
		if (mode.equals("key") && !fixed)
			addFilter(context, new Key());
		tomcat.start();
		tomcat.getServer().await();
	}
}
