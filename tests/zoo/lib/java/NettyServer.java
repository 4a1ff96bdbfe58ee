// SPDX-License-Identifier: MIT
// NettyServer MODE PORT VARIANT: an echo at /websocket by Netty's own handlers.

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler;
import io.netty.handler.timeout.ReadTimeoutHandler;
import io.netty.util.CharsetUtil;
import io.netty.util.ReferenceCountUtil;

public class NettyServer extends ChannelInitializer<SocketChannel> {
	private final String mode;
	private final boolean fixed;

	private NettyServer(String mode, boolean fixed) {
		this.mode = mode;
		this.fixed = fixed;
	}

	/** An error of the decoder, and a connection that is reset. */
	private static class Fails extends ChannelInboundHandlerAdapter {
		@Override
		public void channelRead(ChannelHandlerContext context, Object message) {
			ReferenceCountUtil.release(message);
			throw new IllegalStateException("decoder");
		}

		@Override
		public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
			context.close();
		}
	}

	/** Without a word to those who have no token. */
	private static class Guard extends SimpleChannelInboundHandler<FullHttpRequest> {
		@Override
		protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
			if ("Bearer n-1".equals(request.headers().get("Authorization")))
				context.fireChannelRead(request.retain());
			else
				context.close();
		}
	}

	private static class Echo extends SimpleChannelInboundHandler<Object> {
		@Override
		protected void channelRead0(ChannelHandlerContext context, Object message) {
			if (message instanceof TextWebSocketFrame)
				context.writeAndFlush(((TextWebSocketFrame) message).retain());
			else if (message instanceof FullHttpRequest)
				answer(context, ((FullHttpRequest) message).uri().equals("/"));
		}

		private void answer(ChannelHandlerContext context, boolean isHome) {
			String page = isHome ? "<html>Web Socket Test</html>" : "";
			FullHttpResponse response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1,
				isHome ? HttpResponseStatus.OK : HttpResponseStatus.NOT_FOUND,
				Unpooled.copiedBuffer(page, CharsetUtil.UTF_8));
			response.headers().set("Content-Type", "text/html; charset=UTF-8");
			HttpUtil.setContentLength(response, response.content().readableBytes());
			context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
		}

		@Override
		public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
			context.close();
		}
	}

	@Override
	protected void initChannel(SocketChannel channel) {
		ChannelPipeline pipeline = channel.pipeline();
		if (mode.equals("idle") && !fixed)
			pipeline.addLast(new ReadTimeoutHandler(3));
		if (mode.equals("reset") && !fixed) {
			channel.config().setSoLinger(0);
			pipeline.addLast(new Fails());
			return;
		}
		pipeline.addLast(new HttpServerCodec(), new HttpObjectAggregator(65536));
		if (mode.equals("token") && !fixed)
			pipeline.addLast(new Guard());
		String protocols = fixed ? "quote.v2,quote.v1" : "quote.v2";
		boolean anyQuery = mode.equals("query") && fixed;
		pipeline.addLast(new WebSocketServerProtocolHandler("/websocket",
			mode.equals("subprotocol") ? protocols : null, true, 65536, false, anyQuery));
		pipeline.addLast(new Echo());
	}

	public static void main(String[] words) throws Exception {
		new ServerBootstrap().group(new NioEventLoopGroup(1))
			.channel(NioServerSocketChannel.class)
			.childHandler(new NettyServer(words[0], words[2].equals("fixed")))
			.bind("127.0.0.1", Integer.parseInt(words[1])).sync()
			.channel().closeFuture().sync();
	}
}
