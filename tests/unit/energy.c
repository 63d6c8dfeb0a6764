/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Energy from made-up trees of powercap: packages and their memory count, what they contain does not, counters begin
 * anew, and nobody tells where there is nothing or nothing may be read.
 */
#include "os/energy.h"

#include "base/error.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char root[32];

static void put(const char *zone, const char *file, const char *text)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", root, zone);
    (void)mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%s", root, zone, file);
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    fclose(f);
}

static void put_zone(const char *zone, const char *name, const char *energy)
{
    put(zone, "name", name);
    put(zone, "energy_uj", energy);
    put(zone, "max_energy_range_uj", "262143328850\n");
}

static void begin(void)
{
    strcpy(root, "energy_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
}

static void end(void)
{
    char command[64];

    snprintf(command, sizeof command, "rm -rf ./%s", root);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(packages_and_their_memory_count)
{
    struct mdm_energy e;

    begin();
    put_zone("intel-rapl:0", "package-0\n", "1000000\n");
    put_zone("intel-rapl:0:0", "core\n", "500000\n");
    put_zone("intel-rapl:0:1", "dram\n", "200000\n");
    put_zone("intel-rapl:1", "package-1\n", "262143000000\n");
    put_zone("intel-rapl:2", "psys\n", "7\n");
    put("intel-rapl", "enabled", "1\n");
    mdm_energy_find(&e, root);
    ck_assert_int_eq(e.zones, 3);
    ck_assert_double_eq(mdm_energy_read(&e), 0);
    put("intel-rapl:0", "energy_uj", "3500000\n");
    put("intel-rapl:0:0", "energy_uj", "2500000\n");
    put("intel-rapl:0:1", "energy_uj", "300000\n");
    put("intel-rapl:2", "energy_uj", "9000000\n");
    ck_assert_double_eq_tol(mdm_energy_read(&e), 2.6, 1e-9);
    ck_assert_double_eq(mdm_energy_read(&e), 0);
    put("intel-rapl:1", "energy_uj", "671150\n"); /* has begun anew: 328850 to its end and these */
    ck_assert_double_eq_tol(mdm_energy_read(&e), 1, 1e-9);
    end();
}
END_TEST

START_TEST(nobody_tells)
{
    struct mdm_energy e;

    begin();
    mdm_energy_find(&e, "no/such/folder");
    ck_assert_int_eq(e.zones, 0);
    ck_assert(isnan(mdm_energy_read(&e)));
    mdm_energy_find(&e, root);
    ck_assert_int_eq(e.zones, 0);
    put_zone("intel-rapl:0", "package-0\n", "not a number\n");
    put("intel-rapl:1", "name", "package-1\n");
    put_zone("intel-rapl:2", "package-2\n", "-5\n");
    mdm_energy_find(&e, root);
    ck_assert_int_eq(e.zones, 0);
    put("intel-rapl:0", "energy_uj", "5\n");
    mdm_energy_find(&e, root);
    ck_assert_int_eq(e.zones, 1);
    put("intel-rapl:0", "energy_uj", "");
    ck_assert(isnan(mdm_energy_read(&e)));
    ck_assert_int_eq(mdm_error_status(), MASKDM_OK);
    end();
}
END_TEST

START_TEST(more_zones_than_there_is_room_for)
{
    struct mdm_energy e;
    char zone[32];

    begin();
    for (int i = 0; i < MDM_ENERGY_ZONES + 3; i++) {
        snprintf(zone, sizeof zone, "intel-rapl:%d", i);
        put_zone(zone, "package\n", "5\n");
    }
    mdm_energy_find(&e, root);
    ck_assert_int_eq(e.zones, MDM_ENERGY_ZONES);
    end();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("energy");
    TCase *t = tcase_create("energy");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(t, packages_and_their_memory_count);
    tcase_add_test(t, nobody_tells);
    tcase_add_test(t, more_zones_than_there_is_room_for);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
