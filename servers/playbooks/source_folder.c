/* A folder of Markdown, perhaps a git checkout. */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/file.h"
#include "servers/playbooks/checkout.h"
#include "servers/playbooks/folder.h"
#include "servers/playbooks/source.h"

struct source_of_folder {
	char *path;
};

static void folder_close(void *self)
{
	struct source_of_folder *f = self;

	free(f->path);
	free(f);
}

static void *folder_open(const struct statedir *dir, const json_t *config,
			 struct error *err)
{
	struct source_of_folder *f = calloc(1, sizeof *f);

	if (f)
		f->path = statedir_file(dir, json_get_string(config, "folder"));
	if (!f || !f->path) {
		free(f);
		error_oom(err);
		return NULL;
	}
	return f;
}

/* ---- What it is like now ---- */

static bool add_stamp(void *context, const struct folder_file *file, int fd,
		      struct error *err)
{
	struct strbuf *all = context;

	(void)fd;
	strbuf_add_format(all, "%s\n%s\n", file->path, file->stamp);
	return strbuf_ok(all) || error_oom(err);
}

static void ignore(void *context, const char *path, const char *why)
{
	(void)context;
	(void)path;
	(void)why;
}

static bool folder_fingerprint(void *self, const atomic_bool *stopping, struct strbuf *to,
			       struct error *err)
{
	(void)stopping;
	const struct source_of_folder *f = self;
	_cleanup_strbuf_ struct strbuf all = STRBUF_INIT;
	const struct folder_reader reader = { add_stamp, ignore, &all };
	_cleanup_(checkout_closep) struct checkout *c = checkout_open(f->path);
	char digest[DIGEST_HEX_BYTES];

	if (!folder_walk(f->path, &reader, err))
		return false;
	/* A commit changes what the revisions are, though no file changes. */
	strbuf_add_string(&all, c ? checkout_commit(c) : "");
	if (!strbuf_ok(&all))
		return error_oom(err);
	digest_sha256_hex(all.data, all.length, digest);
	strbuf_add_string(to, digest);
	return strbuf_ok(to) || error_oom(err);
}

/* ---- Reading ---- */

struct reading {
	struct sink *sink;
	struct checkout *checkout; /* NULL: it is none */
};

static bool add_file(void *context, const struct folder_file *file, int fd,
		     struct error *err)
{
	struct reading *r = context;
	_cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
	struct error why = ERROR_INIT;
	char revision[PAGE_REVISION_MAX] = "";
	struct page page = { .id = file->path,
			     .revision = revision,
			     .stamp = file->stamp,
			     .updated_ms = file->changed_ms };

	if (!file_read_fd(fd, PAGE_BYTES_MAX, &body, &why)) {
		sink_skip(r->sink, file->path, why.message);
		return true;
	}
	page.body = body.data;
	page.length = body.length;
	if (r->checkout && checkout_has(r->checkout, file->path, body.data, body.length))
		(void)snprintf(revision, sizeof revision, "git %s",
			       checkout_commit(r->checkout));
	return sink_add(r->sink, &page, err);
}

static void skip_file(void *context, const char *path, const char *why)
{
	struct reading *r = context;

	sink_skip(r->sink, path, why);
}

static bool folder_read(void *self, struct sink *sink, struct error *err)
{
	const struct source_of_folder *f = self;
	_cleanup_(checkout_closep) struct checkout *c = checkout_open(f->path);
	struct reading r = { sink, c };
	const struct folder_reader reader = { add_file, skip_file, &r };

	return folder_walk(f->path, &reader, err);
}

const struct source_kind source_folder = {
	.name = "folder",
	.open = folder_open,
	.close = folder_close,
	.fingerprint = folder_fingerprint,
	.read = folder_read,
};
