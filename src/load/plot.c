/* SPDX-License-Identifier: MIT */
/*
 * A run's result as a picture (SVG): messages each second as they went, and
 * latency by the share of messages that had no longer one. The axis of shares
 * is that of nines, so that the slowest thousandth is as wide as the rest. It
 * has no script and loads nothing; light and dark follow the reader.
 */
#include "load/report.h"

#include <math.h>
#include <stdio.h>

#define WIDTH  760
#define PANEL  220 /* height of one panel's plot */
#define LEFT   80
#define RIGHT  24
#define TOP_1  70
#define TOP_2  (TOP_1 + PANEL + 80)
#define HEIGHT (TOP_2 + PANEL + 60)
#define NINES  5 /* 0 .. 99.999 % */

struct picture {
	struct ses_buf *out;
	int error;
};

#define put(p, ...)                           \
	((p)->error = (p)->error ? (p)->error \
				 : ses_buf_printf((p)->out, __VA_ARGS__))

static const char style[] =
	"text{font:13px system-ui,sans-serif;fill:#1b1c20}"
	".soft{fill:#545862}.title{font-size:15px;font-weight:600}"
	".grid{stroke:#d4d6dc;stroke-width:1}"
	".line{fill:none;stroke:#174ea6;stroke-width:2;stroke-linejoin:round}"
	".paper{fill:#fff}"
	"@media(prefers-color-scheme:dark){text{fill:#e7e8ec}"
	".soft{fill:#aab0bc}.grid{stroke:#3a3e47}.line{stroke:#9ec1ff}"
	".paper{fill:#15171b}}";

static void put_escaped(struct picture *p, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '<':
			put(p, "&lt;");
			break;
		case '&':
			put(p, "&amp;");
			break;
		default:
			put(p, "%c", *text);
		}
}

/* A round number at or over @x: 1, 2 or 5 times a power of ten. */
static double round_up(double x)
{
	double power = pow(10, floor(log10(x > 0 ? x : 1)));

	for (int i = 0; i < 3; i++) {
		static const double steps[] = {1, 2, 5};

		if (steps[i] * power >= x)
			return steps[i] * power;
	}
	return 10 * power;
}

static double x_of(double share)
{
	return LEFT + share * (WIDTH - LEFT - RIGHT);
}

static double y_of(double top, double share)
{
	return top + (1 - share) * PANEL;
}

static void put_number(struct picture *p, double n)
{
	if (n >= 1e6)
		put(p, "%gM", n / 1e6);
	else if (n >= 1e3)
		put(p, "%gk", n / 1e3);
	else
		put(p, "%g", n);
}

/* Lines across a panel, with @most at the top one. */
static void put_grid(struct picture *p, double top, double most,
		     const char *unit)
{
	for (int i = 0; i <= 5; i++) {
		double y = y_of(top, i / 5.0);

		put(p,
		    "<path class=\"grid\" d=\"M%d %.1fH%d\"/>"
		    "<text class=\"soft\" x=\"%d\" y=\"%.1f\" "
		    "text-anchor=\"end\">",
		    LEFT, y, WIDTH - RIGHT, LEFT - 8, y + 4);
		put_number(p, most * i / 5);
		put(p, "%s</text>\n", i == 5 ? unit : "");
	}
}

static void put_title(struct picture *p, double y, const char *text)
{
	put(p, "<text class=\"title\" x=\"%d\" y=\"%.0f\">%s</text>\n", LEFT, y,
	    text);
}

static void put_tick(struct picture *p, double x, double top, const char *text)
{
	put(p,
	    "<text class=\"soft\" x=\"%.1f\" y=\"%.0f\" "
	    "text-anchor=\"middle\">%s</text>\n",
	    x, top + PANEL + 20, text);
}

static void put_throughput(struct picture *p, const struct load_result *r,
			   const char *unit)
{
	double most = 0, seconds = r->seconds > 0 ? r->seconds : 1;
	char text[64];

	for (unsigned i = 0; i < r->n_samples; i++)
		most = fmax(most, r->samples[i].per_second);
	most = round_up(most);
	snprintf(text, sizeof(text), "%s each second", unit);
	put_title(p, TOP_1 - 16, text);
	put_grid(p, TOP_1, most, "");
	for (int i = 0; i <= 4; i++) {
		snprintf(text, sizeof(text), "%.3g s", seconds * i / 4);
		put_tick(p, x_of(i / 4.0), TOP_1, text);
	}
	put(p, "<path class=\"line\" d=\"");
	for (unsigned i = 0; i < r->n_samples; i++)
		put(p, "%s%.1f %.1f", i ? "L" : "M",
		    x_of(fmin(r->samples[i].at / seconds, 1)),
		    y_of(TOP_1, r->samples[i].per_second / most));
	put(p, "\"/>\n");
}

/* Where a share stands on the axis of nines. */
static double nines_of(double share)
{
	return fmin(-log10(1 - share) / NINES, 1);
}

static void put_latency(struct picture *p, const struct load_histogram *h,
			bool corrected)
{
	static const char *const shares[] = {"0",      "90 %",	  "99 %",
					     "99.9 %", "99.99 %", "99.999 %"};
	double most = round_up((double)h->most / 1e6), share;

	put_title(p, TOP_2 - 16,
		  corrected ? "latency from when each was due, by share"
			    : "latency from when each was sent, by share");
	put_grid(p, TOP_2, most, " ms");
	for (int i = 0; i <= NINES; i++)
		put_tick(p, x_of((double)i / NINES), TOP_2, shares[i]);
	put(p, "<path class=\"line\" d=\"");
	for (int i = 0; i <= 200; i++) {
		share = 1 - pow(10, -NINES * i / 200.0);
		put(p, "%s%.1f %.1f", i ? "L" : "M", x_of(nines_of(share)),
		    y_of(TOP_2, (double)load_quantile(h, share) / 1e6 / most));
	}
	put(p, "\"/>\n");
}

int load_report_plot(struct ses_buf *out, const struct load_plan *plan,
		     const char *url, const struct load_result *r)
{
	struct picture p = {.out = out};
	struct load_figures f;

	load_figures(plan, r, &f);
	put(&p,
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
	    "height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\">\n"
	    "<style>%s</style>\n<rect class=\"paper\" width=\"100%%\" "
	    "height=\"100%%\"/>\n<text class=\"soft\" x=\"%d\" y=\"24\">",
	    WIDTH, HEIGHT, WIDTH, HEIGHT, style, LEFT);
	put_escaped(&p, url);
	put(&p, ": %s, %u connection%s, %u in flight</text>\n",
	    load_mode_name(plan->mode), plan->connections,
	    plan->connections == 1 ? "" : "s", plan->in_flight);
	put_throughput(&p, r, f.unit);
	put_latency(&p, &r->tally.latency, f.corrected);
	put(&p, "</svg>\n");
	return p.error;
}
