#include "guard/audit.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/canonical.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/rounds.h"
#include "guard/audit_file.h"
#include "guard/audit_line.h"
#include "guard/copy.h"

/* What a line has beside its data, and what a checkpoint may follow it; generous. */
enum { LINE_AROUND_DATA = 512, CHECKPOINT_LINE = 1024 };

/* A next file that cannot be begun is tried again after so much more. */
enum { ROTATE_AGAIN_PART = 16 };

struct audit {
	char program[33];
	char *folder;
	int lock_fd;
	struct sign_key *key;

	pthread_mutex_t lock; /* over all below, but for 'batch' while 'is_writing' */
	uint8_t sensitive_key[DIGEST_BYTES];
	bool has_sensitive_key; /* derived when it is first needed */
	struct rounds batches;  /* for those whose lines another one writes */
	struct audit_file file;
	struct strbuf queue; /* lines that are not in the file yet */
	struct strbuf batch; /* those that one of the callers is writing */
	bool is_writing;
	int64_t file_bytes, rotate_at; /* how large a file gets, and this one */
	int64_t next_seq; /* the next file is to begin with it; -1: not in 'queue' */
	size_t next_at;   /* where in 'queue' that line stands */
	bool is_rotating; /* it stands in 'batch' */
	struct error not_rotated; /* why, until it is said in the chain */
	struct audit_place queued, durable;
	atomic_llong durable_seq; /* for those who have not the lock */
	int64_t since_checkpoint;
	bool lacks_room;  /* AUDIT_RESERVE could not be kept free at the last try */
	struct error why; /* set once the chain is broken */
};

/* ---- Writing: whoever waits first writes for all that wait ---- */

/* Without the lock, as the one that writes. */
static bool write_part(struct audit *a, const char *data, size_t bytes, struct error *err)
{
	if (bytes == 0)
		return true;
	if (!audit_file_write(&a->file, data, bytes, err))
		return false;
	(void)pthread_mutex_lock(&a->lock);
	a->file.size += (off_t)bytes;
	(void)pthread_mutex_unlock(&a->lock);
	return true;
}

/*
 * On with the next file, which must have the room that this one has. If it cannot be
 * begun, this one goes on and nothing is lost. Without the lock, as the one that writes.
 */
static void change_file(struct audit *a, int64_t first_seq, size_t bytes)
{
	struct audit_file next, old = { .fd = -1 };
	struct error why = ERROR_INIT;
	const bool begun = audit_file_next(&next, a->folder, a->program, first_seq,
					   bytes + 2 * (size_t)AUDIT_RESERVE, &why);

	(void)pthread_mutex_lock(&a->lock);
	if (begun) {
		old = a->file;
		a->file = next;
		a->rotate_at = a->file_bytes;
	} else {
		a->rotate_at = a->file.size + a->file_bytes / ROTATE_AGAIN_PART;
		a->not_rotated = why;
	}
	(void)pthread_mutex_unlock(&a->lock);
	if (!begun)
		return;
	audit_file_complete(&old);
	audit_file_close(&old);
}

static bool write_lines(struct audit *a, const struct strbuf *batch, int64_t next_seq,
			size_t next_at, struct error *err)
{
	if (next_seq < 0)
		return write_part(a, batch->data, batch->length, err);
	/* The file that is left ends before the next one begins. */
	if (!write_part(a, batch->data, next_at, err))
		return false;
	change_file(a, next_seq, batch->length - next_at);
	return write_part(a, batch->data + next_at, batch->length - next_at, err);
}

static void set_durable(struct audit *a, const struct audit_place *place)
{
	a->durable = *place;
	atomic_store(&a->durable_seq, place->seq);
}

/* With the lock held, which is given up while the disk works. */
static void write_batch(struct audit *a)
{
	const struct audit_place last = a->queued;
	const struct strbuf batch = a->queue;
	const int64_t next_seq = a->next_seq;
	const size_t next_at = a->next_at;
	struct error why = ERROR_INIT;

	a->queue = a->batch;
	a->batch = batch;
	a->is_writing = true;
	a->is_rotating = next_seq >= 0;
	a->next_seq = -1;
	(void)pthread_mutex_unlock(&a->lock);
	const bool written = write_lines(a, &batch, next_seq, next_at, &why);
	(void)pthread_mutex_lock(&a->lock);
	a->is_writing = a->is_rotating = false;
	if (written)
		set_durable(a, &last);
	else
		a->why = why;
	strbuf_clear(&a->batch);
}

/* With the lock held, which is given up: wait until line 'seq' is on the disk. */
static bool make_durable(struct audit *a, int64_t seq)
{
	while (a->durable.seq < seq && !error_is_set(&a->why)) {
		const unsigned seen = rounds_seen(&a->batches);
		const bool waits = a->is_writing;

		if (!waits)
			write_batch(a);
		(void)pthread_mutex_unlock(&a->lock);
		if (waits)
			rounds_wait(&a->batches, seen);
		else
			rounds_end(&a->batches);
		if (atomic_load(&a->durable_seq) >= seq)
			return true;
		(void)pthread_mutex_lock(&a->lock);
	}
	const bool is_durable = a->durable.seq >= seq;
	(void)pthread_mutex_unlock(&a->lock);
	return is_durable;
}

static bool queue_line(struct audit *a, const char *event, const struct strbuf *data,
		       struct error *err)
{
	char at[CLOCK_TEXT_BYTES];

	return audit_line_write(&a->queue, &a->queued,
				clock_format_ms(clock_wall_ms(), at), a->program, event,
				data, err);
}

static bool queue_checkpoint(struct audit *a, struct error *err)
{
	_cleanup_strbuf_ struct strbuf data = STRBUF_INIT;

	if (!audit_checkpoint_write(&data, &a->queued, a->program, a->key, err) ||
	    !queue_line(a, AUDIT_CHECKPOINT_EVENT, &data, err))
		return false;
	a->since_checkpoint = 0;
	return true;
}

/* Let the next line begin a file, and end this one with a checkpoint, if it is large. */
static void plan_rotation(struct audit *a)
{
	struct error ignored = ERROR_INIT;
	const int64_t size = a->file.size + (int64_t)a->queue.length +
			     (int64_t)(a->is_writing ? a->batch.length : 0);

	if (size < a->rotate_at || a->next_seq >= 0 || a->is_rotating)
		return;
	/* Without its checkpoint a file would not be complete. */
	if (a->since_checkpoint > 0 && !queue_checkpoint(a, &ignored))
		return;
	a->next_seq = a->queued.seq + 1;
	a->next_at = a->queue.length;
}

/* It is no reason to stop, but to be told: the file grows. */
static void tell_not_rotated(struct audit *a)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error ignored = ERROR_INIT;

	if (!error_is_set(&a->not_rotated))
		return;
	json_auto_t *data = json_pack("{s:s}", "why", a->not_rotated.message);
	if (data && canonical_write(&text, data, &ignored) &&
	    queue_line(a, "audit.not_rotated", &text, &ignored)) {
		a->since_checkpoint++;
		error_clear(&a->not_rotated);
	}
}

/* Room for a line with this much data, and, unless it is an outcome, for the
 * outcomes that may still come. */
static bool have_room(struct audit *a, size_t data_bytes, bool is_outcome,
		      struct error *err)
{
	const size_t bytes = a->queue.length + (a->is_writing ? a->batch.length : 0) +
			     data_bytes + LINE_AROUND_DATA + 3 * CHECKPOINT_LINE;

	if (is_outcome)
		return audit_file_reserve(&a->file, bytes, 0, err);
	a->lacks_room =
		!audit_file_reserve(&a->file, bytes + AUDIT_RESERVE, AUDIT_RESERVE, err);
	return !a->lacks_room;
}

/* ---- Appending ---- */

static bool is_broken(const struct audit *a, struct error *err)
{
	if (!error_is_set(&a->why))
		return false;
	error_set(err, ERR_INTERNAL,
		  "the audit log cannot be written, so nothing is executed: %s",
		  a->why.message);
	error_hint(err, "%s", a->why.hint);
	error_cause(err, "%s", a->why.cause);
	return true;
}

/* With the lock held: the next line, not on the disk yet. Its place goes to 'ret_place'. */
static bool add_line(struct audit *a, const char *event, const struct strbuf *data,
		     bool is_outcome, struct audit_place *ret_place, struct error *err)
{
	struct error ignored = ERROR_INIT;

	if (is_broken(a, err))
		return false;
	if (!have_room(a, data->length, is_outcome, err)) {
		/* What began and cannot be told of must not be followed by more. */
		if (is_outcome)
			a->why = *err;
		return false;
	}
	plan_rotation(a);
	tell_not_rotated(a);
	if (!queue_line(a, event, data, err))
		return false;
	*ret_place = a->queued;
	/* One that fails for lack of memory is made good behind the next line. */
	if (++a->since_checkpoint >= AUDIT_CHECKPOINT_LINES)
		(void)queue_checkpoint(a, &ignored);
	return true;
}

static bool check_line(const char *event, const json_t *data, struct strbuf *ret_text,
		       struct error *err)
{
	if (!audit_is_event(event) || !json_is_object(data))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "what should go to the audit log as '%s' is no object",
				 event);
	return json_check_contract(data, err) && canonical_write(ret_text, data, err);
}

/* With the lock held, which is given up: the line 'seq' was 'added', and is waited for. */
static bool finish(struct audit *a, bool added, int64_t seq, struct error *err)
{
	if (!added) {
		(void)pthread_mutex_unlock(&a->lock);
		return false;
	}
	if (make_durable(a, seq))
		return true;
	(void)pthread_mutex_lock(&a->lock);
	(void)is_broken(a, err);
	(void)pthread_mutex_unlock(&a->lock);
	return false;
}

static bool append(struct audit *a, const char *event, json_t *data, bool is_outcome,
		   char *ret_hash, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *owned = data;
	struct audit_place mine = { 0 };

	if (!check_line(event, owned, &text, err))
		return false;
	(void)pthread_mutex_lock(&a->lock);
	const bool added = add_line(a, event, &text, is_outcome, &mine, err);
	if (!finish(a, added, mine.seq, err))
		return false;
	if (ret_hash)
		memcpy(ret_hash, mine.hash, DIGEST_HEX_BYTES);
	return true;
}

bool audit_append_lines(struct audit *a, const char *event,
			const struct audit_lines *lines, struct error *err)
{
	const char *at = lines->data.data, *end;
	struct audit_place last = { 0 };
	bool good = true;

	assert(audit_is_event(event));
	if (lines->count == 0)
		return true;
	(void)pthread_mutex_lock(&a->lock);
	for (size_t i = 0; good && i < lines->count; i++, at = end + 1) {
		end = strchr(at, '\n');
		const struct strbuf data = { .data = (char *)(uintptr_t)at,
					     .length = (size_t)(end - at) };

		good = add_line(a, event, &data, false, &last, err);
	}
	return finish(a, good, last.seq, err);
}

bool audit_append(struct audit *a, const char *event, json_t *data,
		  char ret_hash[DIGEST_HEX_BYTES], struct error *err)
{
	return append(a, event, data, false, ret_hash, err);
}

bool audit_append_outcome(struct audit *a, const char *event, json_t *data,
			  char ret_hash[DIGEST_HEX_BYTES], struct error *err)
{
	return append(a, event, data, true, ret_hash, err);
}

void audit_limit_file(struct audit *a, int64_t bytes)
{
	(void)pthread_mutex_lock(&a->lock);
	a->file_bytes = a->rotate_at = bytes;
	(void)pthread_mutex_unlock(&a->lock);
}

void audit_head(struct audit *a, int64_t *ret_seq, char ret_hash[static DIGEST_HEX_BYTES])
{
	(void)pthread_mutex_lock(&a->lock);
	*ret_seq = a->durable.seq;
	memcpy(ret_hash, a->durable.hash, DIGEST_HEX_BYTES);
	(void)pthread_mutex_unlock(&a->lock);
}

bool audit_is_sound(struct audit *a)
{
	(void)pthread_mutex_lock(&a->lock);
	const bool sound = !error_is_set(&a->why) && !a->lacks_room;
	(void)pthread_mutex_unlock(&a->lock);
	return sound;
}

/* The key of audit_sensitive is what the audit key signs of a fixed text: known to
 * whoever has the key, and to nobody else. */
static bool derive_sensitive_key(struct audit *a)
{
	static const char purpose[] = "org.wingman/audit-sensitive v1";
	uint8_t signature[KEY_SIGNATURE_BYTES];
	struct error ignored = ERROR_INIT;

	if (a->has_sensitive_key)
		return true;
	if (!sign_key_sign(a->key, purpose, sizeof purpose - 1, signature, &ignored))
		return false;
	digest_sha256(signature, sizeof signature, a->sensitive_key);
	explicit_bzero(signature, sizeof signature);
	a->has_sensitive_key = true;
	return true;
}

void audit_sensitive(struct audit *a, const char *text, struct strbuf *sb)
{
	uint8_t mac[DIGEST_BYTES];
	char hex[DIGEST_HEX_BYTES];

	(void)pthread_mutex_lock(&a->lock);
	const bool derived = derive_sensitive_key(a);
	(void)pthread_mutex_unlock(&a->lock);
	if (!derived) {
		sb->failed = true;
		return;
	}
	digest_hmac_sha256(a->sensitive_key, sizeof a->sensitive_key, text, strlen(text),
			   mac);
	digest_hex(mac, sizeof mac, hex);
	strbuf_add_format(sb, "hmac:%.32s", hex);
}

/* ---- Life ---- */

static bool open_key(struct audit *a, const struct statedir *dir, struct error *err)
{
	_cleanup_free_ char *private = statedir_path(dir, "audit/%s.key", a->program);
	_cleanup_free_ char *public = statedir_path(dir, "audit/%s.pem", a->program);
	_cleanup_free_ char *proof = statedir_path(dir, "audit/%s.pair", a->program);
	_cleanup_(verify_key_freep) struct verify_key *half = NULL;

	if (!private || !public || !proof)
		return error_oom(err);
	if (file_exists(public) && !(half = verify_key_read(public, err)))
		return false;
	if (!file_exists(private))
		a->key = sign_key_create(private, err);
	else if (half)
		a->key = sign_key_read_half(private, half, proof, err);
	else
		a->key = sign_key_read(private, err);
	if (!a->key)
		return false;
	if (!half)
		return sign_key_write_public(a->key, public, err);
	/* Another key than the one that verifies would be noticed too late. */
	if (strcmp(verify_key_kid(half), sign_key_kid(a->key)) == 0)
		return true;
	error_set(err, ERR_INTERNAL, "'%s' is not the public half of '%s'", public,
		  private);
	return error_hint(
		err, "put the right key back, or move both away to begin with a new one");
}

/* Go on where the last line of an earlier process left off. */
static bool resume(struct audit *a, const struct audit_file_end *end, struct error *err)
{
	const struct strbuf *last = &end->last;
	struct error why = ERROR_INIT;
	struct audit_line line;

	a->queued = audit_nothing;
	set_durable(a, &audit_nothing);
	if (last->length == 0)
		return true;
	json_auto_t *json = audit_line_read(last->data, last->length, &line, &why);
	if (!json || strcmp(line.program, a->program) != 0) {
		error_set(err, ERR_INTERNAL,
			  "the last line of audit log '%s' is damaged: %s", a->file.path,
			  json ? "it is of another program" : why.message);
		return error_hint(err, "see 'wingman audit verify'; move all files of "
				       "this log away to begin anew");
	}
	if (end->promised_seq >= 0 && end->promised_seq != line.place.seq + 1)
		return error_set(err, ERR_INTERNAL,
				 "audit log '%s' does not follow the file before it, "
				 "which ends with seq %lld",
				 a->file.path, (long long)line.place.seq);
	a->queued = line.place;
	set_durable(a, &line.place);
	return true;
}

/*
 * This line is waited for only where the chain has no other, or where it begins a file.
 * Nothing has happened yet that it could bear witness of, and the first line that does
 * takes it to the disk.
 */
static bool say_opened(struct audit *a, struct error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	json_auto_t *data = json_pack("{s:s, s:b}", "kid", sign_key_kid(a->key),
				      "reserved", a->file.can_reserve);
	struct audit_place mine = { 0 };

	if (!check_line("audit.opened", data, &text, err))
		return false;
	(void)pthread_mutex_lock(&a->lock);
	bool good = add_line(a, "audit.opened", &text, false, &mine, err);
	if (!good || a->durable.seq < 0 || a->next_seq >= 0)
		return finish(a, good, mine.seq, err);
	good = audit_file_begin(&a->file, a->queue.data, a->queue.length, err);
	a->file.size += good ? (off_t)a->queue.length : 0;
	strbuf_clear(&a->queue);
	(void)pthread_mutex_unlock(&a->lock);
	return good;
}

static bool open_file(struct audit *a, const struct statedir *dir, struct error *err)
{
	struct audit_file_end end = AUDIT_FILE_END_INIT;

	if (!(a->folder = statedir_path(dir, "audit")))
		return error_oom(err);
	const bool opened = audit_file_open(&a->file, a->folder, a->program, &a->lock_fd,
					    &end, err) &&
			    resume(a, &end, err);
	strbuf_done(&end.last);
	if (!opened)
		return false;
	if (end.torn_bytes > 0 &&
	    !audit_append(a, "audit.recovered",
			  json_pack("{s:I}", "torn_bytes", (json_int_t)end.torn_bytes),
			  NULL, err))
		return false;
	/* Asked before the line that says it. */
	return have_room(a, 0, false, err) && say_opened(a, err);
}

struct audit *audit_open(const struct statedir *dir, const char *program,
			 struct error *err)
{
	struct audit *a;

	if (!name_is_server(program)) {
		error_set(err, ERR_INTERNAL, "'%s' is no name of a program", program);
		return NULL;
	}
	if (!(a = calloc(1, sizeof *a))) {
		error_oom(err);
		return NULL;
	}
	COPY(a->program, program);
	a->file.fd = a->lock_fd = -1;
	a->next_seq = -1;
	a->file_bytes = a->rotate_at = AUDIT_FILE_BYTES;
	strbuf_init(&a->queue);
	strbuf_init(&a->batch);
	(void)pthread_mutex_init(&a->lock, NULL);
	if (!open_key(a, dir, err) || !open_file(a, dir, err)) {
		error_set(&a->why, ERR_INTERNAL, "it could not be opened");
		audit_close(a);
		return NULL;
	}
	return a;
}

void audit_close(struct audit *a)
{
	struct error ignored = ERROR_INIT;

	if (!a)
		return;
	if (a->since_checkpoint > 0 && !error_is_set(&a->why) &&
	    queue_checkpoint(a, &ignored)) {
		(void)pthread_mutex_lock(&a->lock);
		(void)make_durable(a, a->queued.seq);
	}
	audit_file_close(&a->file);
	cleanup_close(&a->lock_fd);
	free(a->folder);
	sign_key_free(a->key);
	explicit_bzero(a->sensitive_key, sizeof a->sensitive_key);
	strbuf_done(&a->queue);
	strbuf_done(&a->batch);
	(void)pthread_mutex_destroy(&a->lock);
	free(a);
}
