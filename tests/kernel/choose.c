/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Choosing among instruction sets by measurement: a set that is plainly slower loses, whichever side it is on; the
 * description of a device says what was taken, and an option decides otherwise.
 */
#include "backend/cpu/tile/tile.h"
#include "backend/device.h"

#include "twin.h"

/* The first set of this machine with kernels on vectors, and one with the same kernels of which each product is made
 * four times. */
static const struct mdm_cpu_set *quick;
static struct mdm_tile slow_tile;

static void multiply_slowly(int64_t m, int64_t n, int64_t k, struct mdm_left a, struct mdm_right b, float *c,
                            int64_t ldc, int add)
{
    struct mdm_cpu_table t;

    quick->fill(&t);
    for (int i = 0; i < 4; i++)
        t.tile->product(m, n, k, a, b, c, ldc, add);
}

static void fill_slow(struct mdm_cpu_table *t)
{
    quick->fill(t);
    slow_tile = *t->tile;
    slow_tile.product = multiply_slowly;
    t->tile = &slow_tile;
}

static int runs_here(void)
{
    return 1;
}

static const struct mdm_cpu_set slow = {"slow", runs_here, fill_slow};

START_TEST(the_slower_one_loses)
{
    ck_assert_int_eq(mdm_cpu_prefers(&slow, quick), 0);
    ck_assert_int_eq(mdm_cpu_prefers(quick, &slow), 1);
}
END_TEST

static void open_and_expect(const char *options, const char *begin)
{
    maskdm_options *o;
    maskdm_device *d;

    ck_assert_int_eq(maskdm_options_create(&o, "device"), MASKDM_OK);
    ck_assert_int_eq(maskdm_options_parse(o, options), MASKDM_OK);
    ck_assert_int_eq(maskdm_device_open(&d, "cpu", o), MASKDM_OK);
    ck_assert_msg(strncmp(maskdm_device_description(d), begin, strlen(begin)) == 0, "%s does not begin with %s",
                  maskdm_device_description(d), begin);
    maskdm_device_release(&d);
    maskdm_options_release(&o);
}

START_TEST(devices_say_what_was_taken)
{
    const struct mdm_cpu_set *set, *beside, *again;
    char begin[64], options[64];

    ck_assert_int_eq(mdm_cpu_choose(&set, &beside), MASKDM_OK);
    ck_assert_int_eq(mdm_cpu_choose(&again, &beside), MASKDM_OK);
    ck_assert_ptr_eq(set, again);
    if (beside)
        snprintf(begin, sizeof begin, "cpu, %s (measured beside %s), ", set->name, beside->name);
    else
        snprintf(begin, sizeof begin, "cpu, %s, ", set->name);
    open_and_expect("threads=1", begin);
    snprintf(options, sizeof options, "threads=1 instruction_set=%s", quick->name);
    snprintf(begin, sizeof begin, "cpu, %s, ", quick->name);
    open_and_expect(options, begin);
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, the_slower_one_loses);
    tcase_add_test(c, devices_say_what_was_taken);
}

int main(void)
{
    for (const struct mdm_cpu_set *s = mdm_cpu_sets; s->name && !quick; s++) {
        struct mdm_cpu_table t = {.tile = NULL};

        if (!s->runs_here())
            continue;
        s->fill(&t);
        if (t.tile)
            quick = s;
    }
    return quick ? run_suite("choose", add_tests) : 77;
}
