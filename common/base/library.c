#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

static bool find(void *handle, const struct library *l, struct error *err)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct library_function *f = &l->functions[i];
		void *found = dlsym(handle, f->name);

		if (!found)
			return error_set(err, ERR_INTERNAL, "%s has no '%s'", l->soname,
					 f->name);
		/* A pointer to data and one to code are alike to POSIX, not to C. */
		memcpy(f->to, &found, sizeof found);
	}
	return true;
}

static bool load(struct library *l, struct error *err)
{
	void *handle = dlopen(l->soname, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

	if (!handle)
		return error_set(err, ERR_INTERNAL, "cannot load %s: %s", l->soname,
				 dlerror());
	if (!find(handle, l, err)) {
		(void)dlclose(handle);
		return false;
	}
	return true;
}

bool library_need(struct library *l, struct error *err)
{
	if (library_is_loaded(l))
		return true;
	(void)pthread_mutex_lock(&l->lock);
	const bool good = library_is_loaded(l) || load(l, err);
	atomic_store_explicit(&l->is_loaded, good, memory_order_release);
	(void)pthread_mutex_unlock(&l->lock);
	return good;
}
