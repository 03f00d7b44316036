/* Threads of Socket Mode that hand envelopes over, and write what they are answered with. */
#include "slack/socket/socket_private.h"

#include "base/log.h"

struct job {
	struct slack_socket *socket;
	struct socket_frame frame;
	struct strbuf text;
	struct socket_mail *mail; /* made before, so that its end is always told */
};

static void job_free(struct job *j)
{
	if (!j)
		return;
	socket_frame_done(&j->frame);
	strbuf_done(&j->text);
	socket_mail_free(j->mail);
	free(j);
}
DEFINE_CLEANUP(struct job, job_free);

static bool take(struct job *j, struct error *err)
{
	const struct ingress_delivery delivery = {
		.kind = j->frame.delivery,
		.raw = j->text.data,
		.length = j->text.length,
		.payload = j->frame.payload,
	};
	json_t *answer = NULL;
	bool good = j->socket->take(j->socket->context, &delivery, &answer, err);
	struct error why = ERROR_INIT;

	/* What was taken is acknowledged, also where its answer cannot be sent. */
	if (good && !socket_frame_answer(&j->frame, answer, &j->mail->text, &why)) {
		log_failure("slack.socket.answer", &why);
		strbuf_clear(&j->mail->text);
		error_clear(&why);
		good = socket_frame_answer(&j->frame, NULL, &j->mail->text, err);
	}
	json_decref(answer);
	return good;
}

static void run(void *argument)
{
	_cleanup_(job_freep) struct job *j = argument;
	struct slack_socket *s = j->socket;
	struct error err = ERROR_INIT;

	if (!take(j, &err)) {
		log_failure("slack.socket.left", &err);
		strbuf_clear(&j->mail->text);
	}
	socket_post(s, TAKE(j->mail));
}

bool socket_hand_over(struct slack_socket *s, unsigned link, struct socket_frame *frame,
		      struct strbuf *text)
{
	_cleanup_(job_freep) struct job *j = calloc(1, sizeof *j);

	if (!j)
		return false;
	j->socket = s;
	j->frame = *frame;
	*frame = (struct socket_frame){ 0 };
	j->text = *text;
	strbuf_init(text);
	j->mail = calloc(1, sizeof *j->mail);
	if (!j->mail)
		return false;
	strbuf_init(&j->mail->text);
	j->mail->kind = MAIL_ANSWER;
	j->mail->link = link;
	j->mail->frame_bytes = j->text.length;
	if (!workers_submit(s->workers, run, j))
		return false;
	j = NULL;
	return true;
}
