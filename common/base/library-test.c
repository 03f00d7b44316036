#include "base/library.h"

#include "base/testing.h"

/* A library that every machine with a C compiler has, and no program of ours is linked
 * with by this name. */
#define SONAME "libm.so.6"

static double (*cosine)(double);
static void (*missing)(void);

static void test_loads_once(void **state)
{
	static const struct library_function functions[] = { { "cos", &cosine } };
	static struct library library = LIBRARY(SONAME, functions);
	struct error err = ERROR_INIT;

	(void)state;
	assert_null(cosine);
	assert_true(library_need(&library, &err));
	assert_non_null(cosine);
	assert_true(cosine(0.0) > 0.99);
	double (*before)(double) = cosine;
	assert_true(library_need(&library, &err));
	assert_ptr_equal(cosine, before);
}

static void test_says_what_is_missing(void **state)
{
	static const struct library_function functions[] = {
		{ "cos", &cosine }, { "no_such_name", &missing }
	};
	static const struct library_function one[] = { { "cos", &cosine } };
	static struct library lacks = LIBRARY(SONAME, functions);
	static struct library none = LIBRARY("libwingman-no-such.so.7", one);
	struct error err = ERROR_INIT;

	(void)state;
	/* Not only the first time. */
	for (int i = 0; i < 2; i++) {
		assert_false(library_need(&lacks, &err));
		assert_int_equal(err.code, ERR_INTERNAL);
		assert_string_equal(err.message, SONAME " has no 'no_such_name'");
		assert_null(missing);
		error_clear(&err);
		assert_false(library_need(&none, &err));
		assert_int_equal(err.code, ERR_INTERNAL);
		assert_non_null(strstr(err.message, "libwingman-no-such.so.7"));
		error_clear(&err);
	}
}

static void *need(void *library)
{
	struct error err = ERROR_INIT;

	return library_need(library, &err) && cosine ? library : NULL;
}

static void test_many_threads(void **state)
{
	static const struct library_function functions[] = { { "cos", &cosine } };
	static struct library library = LIBRARY(SONAME, functions);
	enum { THREADS = 16 };
	pthread_t threads[THREADS];
	void *result;

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, need, &library), 0);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_ptr_equal(result, &library);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loads_once),
		cmocka_unit_test(test_says_what_is_missing),
		cmocka_unit_test(test_many_threads),
	};

	return cmocka_run_group_tests_name("library", tests, NULL, NULL);
}
