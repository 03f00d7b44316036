/* Uploads: ask for an address, post the bytes there, say that they are complete. */
#include <string.h>

#include "api/slack/slack_private.h"
#include "base/clock.h"
#include "link/http/http_url.h"

enum { URL_MAX = 2048, FILE_MAX = 16 * 1024 * 1024, ANSWER_MAX = 64 * 1024 };

static bool ask_for_address(struct slack *s, const struct slack_file *file,
			    const struct rest_patience *patience, char **ret_url,
			    char **ret_id, struct error *err)
{
	_cleanup_slack_answer_ struct slack_answer a = SLACK_ANSWER_INIT;
	json_auto_t *arguments = json_pack("{s:s, s:I}", "filename", file->name, "length",
					   (json_int_t)file->length);

	if (!arguments ||
	    (file->alt_text &&
	     json_object_set_new(arguments, "alt_txt", json_string(file->alt_text)) != 0))
		return error_oom(err);
	if (!slack_call(s, "files.getUploadURLExternal", arguments, patience, &a, err))
		return false;
	const char *url = json_get_string(a.body, "upload_url");
	const char *id = json_get_string(a.body, "file_id");
	if (!url || !id)
		return slack_fail_shape("address for an upload", err);
	*ret_url = strdup(url);
	*ret_id = strdup(id);
	return (*ret_url && *ret_id) || error_oom(err);
}

/* The address is a stranger's: on the public internet, unless Slack itself is on
 * loopback. It is a secret, and needs no token. */
static bool post_bytes(struct slack *s, const struct slack_file *file, const char *url,
		       const struct rest_patience *patience, struct error *err)
{
	static const struct http_client_header octets[] = {
		{ "Content-Type", "application/octet-stream" }, { 0 }
	};
	struct http_client_reply reply = HTTP_CLIENT_REPLY_INIT;
	const bool is_loopback = rest_base_is_loopback(s->rest);
	struct error why = ERROR_INIT;
	struct http_url parts;
	const struct http_client_request request = {
		.method = "POST",
		.url = url,
		.headers = octets,
		.body = file->bytes,
		.body_bytes = file->length,
		.timeout_ms = patience->until_ms - clock_mono_ms(),
		.reply_max = ANSWER_MAX,
		.cancel = patience->cancel,
		.public_only = !is_loopback,
	};

	if (!http_url_read(url, URL_MAX, &parts, &why) ||
	    (!parts.is_https && !is_loopback))
		return slack_fail_shape("address for an upload", err);
	const bool good =
		http_client_call(rest_client(s->rest), &request, &reply, NULL, &why);
	const int status = reply.status;
	http_client_reply_done(&reply);
	/* The error would name the address. */
	if (!good)
		return error_set(err, why.code,
				 "the bytes of a file did not reach Slack");
	return status == 200 || error_set(err, ERR_BACKEND_UNAVAILABLE,
					  "Slack did not take the bytes of a file "
					  "(HTTP %d)",
					  status);
}

static bool set_text(json_t *object, const char *name, const char *text)
{
	return !text || json_object_set_new(object, name, json_string(text)) == 0;
}

static bool complete(struct slack *s, const struct slack_file *file, const char *id,
		     const struct rest_patience *patience, struct error *err)
{
	_cleanup_slack_answer_ struct slack_answer a = SLACK_ANSWER_INIT;
	json_auto_t *arguments = json_pack("{s:[{s:s, s:s}]}", "files", "id", id, "title",
					   file->title ? file->title : file->name);

	if (!arguments || !set_text(arguments, "channel_id", file->channel) ||
	    !set_text(arguments, "thread_ts", file->thread_ts) ||
	    !set_text(arguments, "initial_comment", file->comment))
		return error_oom(err);
	return slack_call(s, "files.completeUploadExternal", arguments, patience, &a,
			  err);
}

bool slack_upload(struct slack *s, const struct slack_file *file,
		  const struct rest_patience *patience, char **ret_id, struct error *err)
{
	_cleanup_free_ char *url = NULL, *id = NULL;

	if (file->length == 0 || file->length > FILE_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the file is empty, or too large for Slack");
	if (!ask_for_address(s, file, patience, &url, &id, err) ||
	    !post_bytes(s, file, url, patience, err) ||
	    !complete(s, file, id, patience, err))
		return false;
	*ret_id = TAKE(id);
	return true;
}
