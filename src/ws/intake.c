/* SPDX-License-Identifier: MIT */
/* Taking in an HTTP head from a stream that cuts it anywhere. */
#include "ws/intake.h"

#include <sesame/error.h>

void ses_intake_init(struct ses_intake *in, bool is_request)
{
	struct ses_head_limits limits = {.total_bytes = SES_INTAKE_BYTES};

	ses_head_init(&in->parser, is_request, &limits);
	ses_buf_init(&in->gathered, SES_INTAKE_BYTES);
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
