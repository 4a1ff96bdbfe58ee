// SPDX-License-Identifier: MIT
import org.apache.catalina.Context;
import org.apache.catalina.startup.Tomcat;
import org.springframework.web.cors.CorsConfiguration;
import org.springframework.web.cors.UrlBasedCorsConfigurationSource;
import org.springframework.web.filter.CorsFilter;

/**
 * SpringServer MODE PORT VARIANT FOLDER: the echo of TomcatServer behind Spring's own
 * CorsFilter, which lets its own origin in and https://shop.example; if MODE is
 * "origin" and VARIANT "fixed", every one.
 */
public class SpringServer {
	static CorsFilter cors(String origin) {
		CorsConfiguration allowed = new CorsConfiguration();
		allowed.addAllowedOrigin(origin);
		allowed.addAllowedMethod("GET");
		UrlBasedCorsConfigurationSource everywhere = new UrlBasedCorsConfigurationSource();
		everywhere.registerCorsConfiguration("/**", allowed);
		return new CorsFilter(everywhere);
	}

	public static void main(String[] args) throws Exception {
		boolean anyOrigin = args[0].equals("origin") && args[2].equals("fixed");
		Tomcat tomcat = TomcatServer.tomcat(TomcatServer.http(Integer.parseInt(args[1])), args[3]);
		Context context = TomcatServer.addEcho(tomcat, "", args[3]);
		TomcatServer.addFilter(context, cors(anyOrigin ? "*" : "https://shop.example"));
		tomcat.start();
		tomcat.getServer().await();
	}
}
