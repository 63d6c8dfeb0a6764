/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Limits of control groups, from made-up trees: both versions, groups above, mounts within containers, what is
 * unlimited, missing or broken.
 */
#include "os/cgroup.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define V1 "30 20 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
#define V2 "29 20 0:25 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
#define OTHERS "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n21 20 0:5 / /proc rw - proc proc rw\nnonsense\n"

static char root[32];

static void put(const char *name, const char *text)
{
    char path[512];
    FILE *f;

    snprintf(path, sizeof path, "%s%s", root, name);
    for (char *p = path + strlen(root) + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        (void)mkdir(path, 0777);
        *p = '/';
    }
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    fclose(f);
}

static void begin(const char *group, const char *mounts)
{
    strcpy(root, "cgroup_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    put("/proc/self/cgroup", group);
    put("/proc/self/mountinfo", mounts);
}

static void end(void)
{
    char command[64];

    snprintf(command, sizeof command, "rm -rf ./%s", root);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(version_2_rounds_up)
{
    static const struct {
        const char *text;
        int cores;
    } cases[] = {{"50000 100000\n", 1},
                 {"100000 100000\n", 1},
                 {"100001 100000\n", 2},
                 {"350000 100000\n", 4},
                 {"350000 100000", 4},
                 {"1000 1000000\n", 1},
                 {"9223372036854775807 1\n", 0}, /* more digits than a quota has */
                 {"max 100000\n", 0},
                 {"max\n", 0},
                 {"50000\n", 0},
                 {"50000 0\n", 0},
                 {"50000 x\n", 0},
                 {"5e4 100000\n", 0},
                 {"-1 100000\n", 0},
                 {" \n", 0},
                 {"", 0}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin("0::/user/job\n", OTHERS V2);
        put("/sys/fs/cgroup/user/job/cpu.max", cases[i].text);
        ck_assert_msg(mdm_cgroup_cpus(root) == cases[i].cores, "\"%s\": %ld", cases[i].text,
                      (long)mdm_cgroup_cpus(root));
        end();
    }
}
END_TEST

START_TEST(the_tightest_group_above_counts)
{
    begin("0::/a/b/c\n", V2);
    put("/sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
    put("/sys/fs/cgroup/a/b/cpu.max", "800000 100000\n");
    put("/sys/fs/cgroup/a/cpu.max", "300000 100000\n");
    ck_assert_int_eq(mdm_cgroup_cpus(root), 3);
    put("/sys/fs/cgroup/cpu.max", "200000 100000\n");
    ck_assert_int_eq(mdm_cgroup_cpus(root), 2);
    put("/sys/fs/cpu.max", "100000 100000\n"); /* no group: above the mount */
    ck_assert_int_eq(mdm_cgroup_cpus(root), 2);
    put("/sys/fs/cgroup/a/b/c/cpu.max", "40000 100000\n");
    ck_assert_int_eq(mdm_cgroup_cpus(root), 1);
    end();
}
END_TEST

START_TEST(version_1_has_two_files)
{
    begin("7:cpu,cpuacct:/lxc/job\n6:cpuset:/other\n1:name=systemd:/cpu\n", OTHERS V1);
    put("/sys/fs/cgroup/cpu,cpuacct/lxc/job/cpu.cfs_quota_us", "-1\n");
    put("/sys/fs/cgroup/cpu,cpuacct/lxc/job/cpu.cfs_period_us", "100000\n");
    ck_assert_int_eq(mdm_cgroup_cpus(root), 0);
    put("/sys/fs/cgroup/cpu,cpuacct/lxc/cpu.cfs_quota_us", "250000\n");
    ck_assert_int_eq(mdm_cgroup_cpus(root), 0); /* no period */
    put("/sys/fs/cgroup/cpu,cpuacct/lxc/cpu.cfs_period_us", "100000\n");
    ck_assert_int_eq(mdm_cgroup_cpus(root), 3);
    end();
    /* Words, not parts of words. */
    begin("6:cpuset:/job\n", "30 20 0:26 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n");
    put("/sys/fs/cgroup/cpuset/job/cpu.cfs_quota_us", "50000\n");
    put("/sys/fs/cgroup/cpuset/job/cpu.cfs_period_us", "100000\n");
    ck_assert_int_eq(mdm_cgroup_cpus(root), 0);
    end();
}
END_TEST

START_TEST(both_versions_side_by_side)
{
    begin("3:cpu:/one\n0::/two\n", OTHERS "30 20 0:26 / /v1 rw - cgroup cgroup rw,cpu\n"
                                          "31 20 0:27 / /v2 rw shared:1 master:2 - cgroup2 cgroup2 rw\n");
    put("/v2/two/pids.max", "max\n");
    ck_assert_int_eq(mdm_cgroup_cpus(root), 0);
    put("/v1/one/cpu.cfs_quota_us", "200000\n");
    put("/v1/one/cpu.cfs_period_us", "100000\n");
    ck_assert_int_eq(mdm_cgroup_cpus(root), 2);
    put("/v2/two/cpu.max", "100000 100000\n");
    ck_assert_int_eq(mdm_cgroup_cpus(root), 1);
    end();
}
END_TEST

START_TEST(containers_mount_a_part)
{
    /* The mount begins at the process's group, or above it. */
    begin("0::/docker/f00\n", "29 20 0:25 /docker/f00 /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
    put("/sys/fs/cgroup/cpu.max", "150000 100000\n");
    ck_assert_int_eq(mdm_cgroup_cpus(root), 2);
    end();
    begin("0::/docker/f00/inner\n", "29 20 0:25 /docker/f00 /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
    put("/sys/fs/cgroup/inner/cpu.max", "50000 100000\n");
    ck_assert_int_eq(mdm_cgroup_cpus(root), 1);
    end();
    /* Names from another namespace: what is mounted is all that can be seen. */
    begin("0::/\n", "29 20 0:25 /kubepods/pod7 /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
    put("/sys/fs/cgroup/cpu.max", "400000 100000\n");
    ck_assert_int_eq(mdm_cgroup_cpus(root), 4);
    end();
    begin("0::/../outside\n", V2);
    put("/sys/fs/cgroup/cpu.max", "400000 100000\n");
    put("/sys/fs/outside/cpu.max", "100000 100000\n");
    ck_assert_int_eq(mdm_cgroup_cpus(root), 4);
    end();
    /* Names that only begin alike, and bytes that mountinfo escapes. */
    begin("0::/docker/f00bar\n", "29 20 0:25 /docker/f00 /sys/a\\040b rw - cgroup2 cgroup rw\n");
    put("/sys/a b/bar/cpu.max", "100000 100000\n");
    put("/sys/a b/cpu.max", "300000 100000\n");
    ck_assert_int_eq(mdm_cgroup_cpus(root), 3);
    end();
}
END_TEST

START_TEST(what_is_missing_or_broken_is_no_limit)
{
    char *longest = malloc(10000);

    ck_assert_ptr_nonnull(longest);
    ck_assert_int_eq(mdm_cgroup_cpus("./there_is_no_such_root"), 0);
    ck_assert_int_eq(mdm_cgroup_tasks("./there_is_no_such_root"), -1);
    begin("", "");
    ck_assert_int_eq(mdm_cgroup_cpus(root), 0);
    end();
    begin("0::/job\n4:cpu\nx", "29 20 0:25 / - cgroup2\n29 20\n - \n - cgroup2 a b\n"
                               "29 20 0:25 / /sys/fs/cgroup rw - cgroup2");
    put("/sys/fs/cgroup/job/cpu.max", "100000 100000\n");
    ck_assert_int_eq(mdm_cgroup_cpus(root), 0);
    end();
    /* A line longer than any that matters, before those that do. */
    memset(longest, 'x', 9999);
    strcpy(longest + 9999 - sizeof V2, "\n" V2);
    begin("0::/job\n", longest);
    put("/sys/fs/cgroup/job/cpu.max", "200000 100000\n");
    ck_assert_int_eq(mdm_cgroup_cpus(root), 2);
    end();
    /* A group that is gone: those above stay. */
    begin("0::/up/gone (deleted)\n", V2);
    put("/sys/fs/cgroup/up/cpu.max", "200000 100000\n");
    ck_assert_int_eq(mdm_cgroup_cpus(root), 2);
    end();
    free(longest);
}
END_TEST

/* Lines longer than are read are left out whole; what comes behind them is read. */
START_TEST(long_lines_are_passed_over)
{
    char mounts[5000];

    memset(mounts, 'x', 2047);
    strcpy(mounts + 2047, V2);
    begin("0::/job\n", mounts);
    put("/sys/fs/cgroup/job/cpu.max", "300000 100000\n");
    ck_assert_int_eq(mdm_cgroup_cpus(root), 0);
    strcat(mounts, V2);
    put("/proc/self/mountinfo", mounts);
    ck_assert_int_eq(mdm_cgroup_cpus(root), 3);
    end();
}
END_TEST

START_TEST(a_full_group_is_found)
{
    begin("5:pids:/a/b\n", "30 20 0:26 / /pids rw - cgroup cgroup rw,pids\n");
    ck_assert_int_eq(mdm_cgroup_tasks(root), -1);
    put("/pids/a/b/pids.max", "max\n");
    put("/pids/a/b/pids.current", "19\n");
    put("/pids/a/pids.max", "20\n");
    put("/pids/a/pids.current", "19\n");
    ck_assert_int_eq(mdm_cgroup_tasks(root), -1);
    put("/pids/a/pids.current", "20\n");
    ck_assert_int_eq(mdm_cgroup_tasks(root), 20);
    put("/pids/pids.max", "30\n");
    put("/pids/pids.current", "30\n");
    ck_assert_int_eq(mdm_cgroup_tasks(root), 20); /* the least of those that are full */
    put("/pids/a/b/pids.max", "19\n");
    ck_assert_int_eq(mdm_cgroup_tasks(root), 19);
    end();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cgroup");
    TCase *c = tcase_create("cgroup");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_test(c, version_2_rounds_up);
    tcase_add_test(c, the_tightest_group_above_counts);
    tcase_add_test(c, version_1_has_two_files);
    tcase_add_test(c, both_versions_side_by_side);
    tcase_add_test(c, containers_mount_a_part);
    tcase_add_test(c, what_is_missing_or_broken_is_no_limit);
    tcase_add_test(c, long_lines_are_passed_over);
    tcase_add_test(c, a_full_group_is_found);
    suite_add_tcase(s, c);
    srunner_set_fork_status(r, CK_NOFORK);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
