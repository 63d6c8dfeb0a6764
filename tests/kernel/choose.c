/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Choosing among instruction sets: the widest, but by the processor's name; the description of a device says what was
 * taken, and an option decides otherwise.
 */
#include "backend/cpu/brand.h"
#include "backend/cpu/tile/tile.h"
#include "backend/device.h"

#include "twin.h"

/* The first set of this machine with kernels on vectors. */
static const struct mdm_cpu_set *quick;

START_TEST(the_brand_decides)
{
    static const char *const one[] = {"Intel(R) Xeon(R) Silver 4110 CPU @ 2.10GHz",
                                      "Intel(R) Xeon(R) Gold 5218 CPU @ 2.30GHz",
                                      "Intel(R) Xeon(R) Bronze 3204 CPU @ 1.90GHz"};
    static const char *const two[] = {"Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz",
                                      "Intel(R) Xeon(R) Gold 5222 CPU @ 3.80GHz",
                                      "Intel(R) Xeon(R) Silver 4310 CPU @ 2.10GHz", "AMD EPYC 9654 96-Core Processor",
                                      ""};
    const struct mdm_cpu_set *set, *slower, *other, *none;

    for (size_t i = 0; i < MDM_LENGTH(one); i++)
        ck_assert_msg(mdm_halves_512_bits(one[i]), "%s", one[i]);
    for (size_t i = 0; i < MDM_LENGTH(two); i++)
        ck_assert_msg(!mdm_halves_512_bits(two[i]), "%s", two[i]);
    mdm_cpu_choose(&set, &slower, one[0]);
    mdm_cpu_choose(&other, &none, two[0]);
    ck_assert_ptr_null(none);
    if (strcmp(other->name, "avx512") == 0) {
        ck_assert_ptr_eq(slower, other);
        ck_assert_str_eq(set->name, "avx2");
    } else {
        ck_assert_ptr_null(slower);
        ck_assert_ptr_eq(set, other);
    }
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
    const struct mdm_cpu_set *set, *slower;
    char begin[64], options[64];

    ck_assert_int_eq(mdm_cpu_find(&set, &slower, "auto"), MASKDM_OK);
    if (slower)
        snprintf(begin, sizeof begin, "cpu, %s (%s is slower on this processor), ", set->name, slower->name);
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
    tcase_add_test(c, the_brand_decides);
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
