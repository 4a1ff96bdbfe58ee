/* SPDX-License-Identifier: MIT */
/* Taking in an HTTP head from a stream that cuts it anywhere. */
#include "ws/intake.h"

#include <sesame/error.h>

#define MOST_INTERIM 8 /* answers before the answer */

void ses_intake_init(struct ses_intake *in, bool is_request)
{
	struct ses_head_limits limits = {.total_bytes = SES_INTAKE_BYTES};

	ses_head_init(&in->parser, is_request, &limits);
	ses_buf_init(&in->gathered, SES_INTAKE_BYTES);
	in->n_interim = 0;
}

void ses_intake_fini(struct ses_intake *in)
{
	ses_buf_fini(&in->gathered);
}

/* The first piece: whole, or the beginning of what is to be gathered. */
static int look_in_place(struct ses_intake *in, struct bytes data,
			 struct ses_head *ret_head, size_t *ret_used,
			 enum ses_fault *ret_fault)
{
	int r = ses_head_parse(&in->parser, data, ret_head, ret_fault);

	if (r < 0)
		return r;
	if (r == 0 && data.len > SES_INTAKE_BYTES) {
		*ret_fault = SES_FAULT_HEAD_TOO_LONG;
		return SESAME_EPROTO;
	}
	if (r == 0)
		return ses_buf_append(&in->gathered, data);
	*ret_used = (size_t)r;
	return 1;
}

int ses_intake_feed(struct ses_intake *in, uint8_t *data, size_t len,
		    struct ses_head *ret_head, size_t *ret_used,
		    enum ses_fault *ret_fault)
{
	size_t had = ses_buf_len(&in->gathered), room = SES_INTAKE_BYTES - had;
	int r;

	if (had == 0)
		return look_in_place(in, bytes_of(data, len), ret_head,
				     ret_used, ret_fault);
	room = len < room ? len : room;
	r = ses_buf_append(&in->gathered, bytes_of(data, room));
	if (r < 0)
		return r;
	r = ses_head_parse(&in->parser, ses_buf_bytes(&in->gathered), ret_head,
			   ret_fault);
	if (r < 0)
		return r;
	if (r == 0 && room == len)
		return 0;
	if (r == 0) {
		*ret_fault = SES_FAULT_HEAD_TOO_LONG;
		return SESAME_EPROTO;
	}
	*ret_used = (size_t)r - had;
	return 1;
}

static bool is_interim(const struct ses_head *head)
{
	return head->status < 200 && head->status != 101;
}

int ses_intake_feed_answer(struct ses_intake *in, struct bytes *data,
			   struct ses_head *ret_head, size_t *ret_used,
			   enum ses_fault *ret_fault)
{
	unsigned n_interim;
	int r;

	while ((r = ses_intake_feed(in, (uint8_t *)data->data, data->len,
				    ret_head, ret_used, ret_fault)) > 0 &&
	       is_interim(ret_head)) {
		n_interim = in->n_interim + 1;
		if (n_interim > MOST_INTERIM) {
			*ret_fault = SES_FAULT_RESPONSE_STATUS;
			return SESAME_EPROTO;
		}
		ses_intake_fini(in);
		ses_intake_init(in, false);
		in->n_interim = n_interim;
		*data = bytes_from(*data, *ret_used);
	}
	return r;
}
