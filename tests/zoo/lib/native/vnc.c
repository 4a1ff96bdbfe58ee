// SPDX-License-Identifier: MIT
// vnc MODE PORT: a screen of LibVNCServer, which speaks VNC and WebSocket at one port.
#include <rfb/rfb.h>
#include <stdlib.h>

enum { SIDE = 64, PIXEL_BYTES = 4, WAIT_US = 20000 };

int main(int argc, char **argv)
{
	char *name[] = {argv[0], NULL};
	int names = 1;
	rfbScreenInfoPtr screen;

	if (argc < 3)
		return 2;
	screen = rfbGetScreen(&names, name, SIDE, SIDE, 8, 3, PIXEL_BYTES);
	if (!screen)
		return 1;
	screen->frameBuffer = calloc(SIDE * SIDE, PIXEL_BYTES);
	screen->autoPort = FALSE;
	screen->port = atoi(argv[2]);
	screen->ipv6port = 0;
	screen->listenInterface = htonl(INADDR_LOOPBACK);
	rfbInitServer(screen);
	rfbRunEventLoop(screen, WAIT_US, FALSE);
	return 0;
}
