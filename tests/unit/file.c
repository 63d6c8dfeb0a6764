/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files: each operation is made to fail in turn, and whatever happens the old file or the new one stands whole
 * and no temporary file stays.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "os/file.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[256];

static const char *inside(const char *name)
{
    static char path[4][600];
    static int turn;

    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static int collect(void *user, const char *name, enum mdm_file_kind kind)
{
    char *out = user;

    strcat(out, name);
    strcat(out, kind == MDM_FILE_FOLDER ? "/ " : kind == MDM_FILE_REGULAR ? " " : "? ");
    return 0;
}

static const char *listed(void)
{
    static char out[4096];

    out[0] = '\0';
    ck_assert_int_eq(mdm_folder_list(folder, collect, out), MASKDM_OK);
    return out;
}

static int drop(void *user, const char *name, enum mdm_file_kind kind)
{
    (void)user;
    return kind == MDM_FILE_FOLDER ? rmdir(inside(name)) : mdm_file_remove(inside(name));
}

static void setup(void)
{
    const char *base = getenv("TMPDIR");

    snprintf(folder, sizeof folder, "%s/maskdm-file-XXXXXX", base && *base ? base : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void teardown(void)
{
    mdm_file_hook_set(NULL);
    ck_assert_int_eq(mdm_folder_list(folder, drop, NULL), MASKDM_OK);
    ck_assert_int_eq(rmdir(folder), 0);
}

static int put(const char *path, const char *text)
{
    struct mdm_writer *w;
    int status = mdm_writer_open(&w, path);

    if (status < 0)
        return status;
    status = mdm_writer_write(w, text, strlen(text));
    if (status < 0) {
        mdm_writer_abandon(&w);
        return status;
    }
    return mdm_writer_commit(&w);
}

static const char *got(const char *path)
{
    static char out[256];
    char *data;
    size_t n;

    ck_assert_int_eq(mdm_file_read_all(&data, &n, path, sizeof out - 1), MASKDM_OK);
    memcpy(out, data, n + 1);
    mdm_free(data);
    return out;
}

struct failing {
    int at, calls; /* which call fails, how many were made */
    const char *operation;
};

static int fail_nth(void *user, const char *operation, const char *path)
{
    struct failing *f = user;

    (void)path;
    if (f->calls++ != f->at)
        return 0;
    f->operation = operation;
    return ENOSPC;
}

START_TEST(writing_and_reading)
{
    long live = mdm_alloc_live();
    struct mdm_reader *r;
    char part[4] = "";
    struct stat st;

    ck_assert_int_eq(put(inside("a"), "first"), MASKDM_OK);
    ck_assert_str_eq(got(inside("a")), "first");
    ck_assert_int_eq(put(inside("a"), "second"), MASKDM_OK);
    ck_assert_str_eq(got(inside("a")), "second");
    ck_assert_str_eq(listed(), "a ");
    ck_assert_int_eq(mdm_reader_open(&r, inside("a")), MASKDM_OK);
    ck_assert_uint_eq(mdm_reader_size(r), 6);
    ck_assert_int_eq(mdm_reader_read_at(r, part, 3, 2), MASKDM_OK);
    ck_assert_str_eq(part, "con");
    ck_assert_int_eq(mdm_reader_read_at(r, part, 3, 4), MASKDM_EIO);
    ck_assert_int_eq(mdm_reader_read_at(r, part, 1, 6), MASKDM_EIO);
    ck_assert_ptr_nonnull(strstr(mdm_error_text(), "the file has 6 bytes"));    /* asked before it is read */
    ck_assert_int_eq(mdm_reader_read_at(r, part, 3, UINT64_MAX - 1), MASKDM_EIO);
    ck_assert_int_eq(truncate(inside("a"), 3), 0);
    ck_assert_int_eq(mdm_reader_read_at(r, part, 3, 2), MASKDM_EIO);
    ck_assert_ptr_nonnull(strstr(mdm_error_text(), "shrank"));
    mdm_reader_close(&r);
    ck_assert_ptr_null(r);
    ck_assert_int_eq(stat(inside("a"), &st), 0);
    ck_assert_int_eq(st.st_mode & 0600, 0600);
    ck_assert_int_eq(mdm_alloc_live(), live);
}
END_TEST

START_TEST(long_and_bare_names)
{
    char name[251];

    memset(name, 'n', 250);
    name[250] = '\0';
    ck_assert_int_eq(put(inside(name), "x"), MASKDM_OK);
    ck_assert_str_eq(got(inside(name)), "x");
    ck_assert_int_eq(put(inside("no/such"), "x"), MASKDM_ENOTFOUND);
    ck_assert_int_eq(put(inside("slash/"), "x"), MASKDM_EINVAL);
    ck_assert_int_eq(put("", "x"), MASKDM_EINVAL);
}
END_TEST

/* With the k-th call refused, for every k. A folder flush is the only step after the rename. */
START_TEST(old_file_survives_each_failure)
{
    long live = mdm_alloc_live();
    struct failing f = { 0, 0, NULL };
    struct mdm_file_hook hook = { fail_nth, &f };
    int status;

    ck_assert_int_eq(put(inside("a"), "old"), MASKDM_OK);
    for (f.at = 0;; f.at++) {
        f.calls = 0;
        f.operation = NULL;
        mdm_file_hook_set(&hook);
        status = put(inside("a"), "new");
        mdm_file_hook_set(NULL);
        ck_assert_str_eq(listed(), "a ");
        if (!f.operation)
            break;
        if (f.at < 6) {
            ck_assert_int_eq(status, MASKDM_EIO);
            ck_assert_ptr_nonnull(strstr(mdm_error_text(), "/a: No space left on device"));
            ck_assert_str_eq(got(inside("a")), "old");
        } else {
            ck_assert_str_eq(got(inside("a")), "new");
        }
    }
    ck_assert_int_eq(status, MASKDM_OK);
    ck_assert_int_ge(f.at, 8);
    ck_assert_int_eq(mdm_alloc_live(), live);
}
END_TEST

START_TEST(failed_write_spoils_the_commit)
{
    struct failing f = { 2, 0, NULL };
    struct mdm_file_hook hook = { fail_nth, &f };
    struct mdm_writer *w;

    ck_assert_int_eq(put(inside("a"), "old"), MASKDM_OK);
    mdm_file_hook_set(&hook);
    ck_assert_int_eq(mdm_writer_open(&w, inside("a")), MASKDM_OK);
    ck_assert_int_eq(mdm_writer_write(w, "x", 1), MASKDM_EIO);
    ck_assert_int_eq(mdm_writer_write(w, "y", 1), MASKDM_OK);
    ck_assert_int_eq(mdm_writer_commit(&w), MASKDM_EIO);
    ck_assert_ptr_null(w);
    ck_assert_str_eq(got(inside("a")), "old");
    ck_assert_str_eq(listed(), "a ");
}
END_TEST

START_TEST(reading_fails_cleanly)
{
    long live = mdm_alloc_live();
    struct failing f = { 0, 0, NULL };
    struct mdm_file_hook hook = { fail_nth, &f };
    struct mdm_reader *r;
    char *data;
    size_t n;

    ck_assert_int_eq(put(inside("a"), "text"), MASKDM_OK);
    for (f.at = 0; f.at < 3; f.at++) {
        f.calls = 0;
        mdm_file_hook_set(&hook);
        ck_assert_int_eq(mdm_file_read_all(&data, &n, inside("a"), 100), MASKDM_EIO);
        mdm_file_hook_set(NULL);
        ck_assert_ptr_null(data);
    }
    ck_assert_int_eq(mdm_file_read_all(&data, &n, inside("a"), 3), MASKDM_EFORMAT);
    ck_assert_int_eq(mdm_file_read_all(&data, &n, inside("a"), 4), MASKDM_OK);
    ck_assert_str_eq(data, "text");
    mdm_free(data);
    ck_assert_int_eq(mdm_file_read_all(&data, &n, inside("none"), 3), MASKDM_ENOTFOUND);
    ck_assert_int_eq(mdm_reader_open(&r, folder), MASKDM_EIO);
    ck_assert_ptr_null(r);
    ck_assert_int_eq(mkfifo(inside("pipe"), 0600), 0);
    ck_assert_int_eq(mdm_reader_open(&r, inside("pipe")), MASKDM_EIO);
    ck_assert_ptr_nonnull(strstr(mdm_error_text(), "not a regular file"));
    ck_assert_int_eq(mdm_reader_open(&r, NULL), MASKDM_EINVAL);
    ck_assert_int_eq(mdm_alloc_live(), live);
}
END_TEST

/* Without the check the default action of SIGXFSZ would end this program. */
START_TEST(file_size_limit_is_an_error_not_a_signal)
{
    struct rlimit old, small;
    char block[2000];
    struct mdm_writer *w;
    struct mdm_appender *a;
    int status, status_log;

    memset(block, 'b', sizeof block);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 1000;
    ck_assert_int_eq(mdm_appender_open(&a, inside("log")), MASKDM_OK);
    ck_assert_int_eq(mdm_appender_write(a, block, 600), MASKDM_OK);
    ck_assert_int_eq(mdm_writer_open(&w, inside("a")), MASKDM_OK);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    status = mdm_writer_write(w, block, sizeof block);
    status_log = mdm_appender_write(a, block, 600);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
    ck_assert_int_eq(status, MASKDM_EIO);
    ck_assert_int_eq(status_log, MASKDM_EIO);
    mdm_writer_abandon(&w);
    mdm_appender_close(&a);
    ck_assert_str_eq(listed(), "log ");
}
END_TEST

/* The limit is on the file, not on the piece; a file that just fills it is written. */
START_TEST(file_size_limit_counts_every_piece)
{
    struct rlimit old, small;
    char block[600] = "";
    struct mdm_writer *over, *full;
    int first, above, filled;

    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 1000;
    ck_assert_int_eq(mdm_writer_open(&over, inside("a")), MASKDM_OK);
    ck_assert_int_eq(mdm_writer_open(&full, inside("b")), MASKDM_OK);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    first = mdm_writer_write(over, block, 600);
    above = mdm_writer_write(over, block, 401);
    filled = mdm_writer_write(full, block, 600);
    if (filled == MASKDM_OK)
        filled = mdm_writer_write(full, block, 400);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
    ck_assert_int_eq(first, MASKDM_OK);
    ck_assert_int_eq(above, MASKDM_EIO);
    ck_assert_int_eq(filled, MASKDM_OK);
    mdm_writer_abandon(&over);
    ck_assert_int_eq(mdm_writer_commit(&full), MASKDM_OK);
    ck_assert_str_eq(listed(), "b ");
}
END_TEST

/* The disk is full in the middle of a line. */
static int write_half(void *user, const char *operation, const char *path)
{
    int fd, *half = user;

    if (strcmp(operation, "write") != 0)
        return 0;
    fd = open(path, O_WRONLY | O_APPEND);
    *half = write(fd, "tw", 2) == 2;
    close(fd);
    return ENOSPC;
}

START_TEST(half_a_line_is_taken_back)
{
    int half = 0;
    struct mdm_file_hook hook = { write_half, &half };
    struct mdm_appender *a;

    ck_assert_int_eq(mdm_appender_open(&a, inside("log")), MASKDM_OK);
    ck_assert_int_eq(mdm_appender_write(a, "one\n", 4), MASKDM_OK);
    mdm_file_hook_set(&hook);
    ck_assert_int_eq(mdm_appender_write(a, "two\n", 4), MASKDM_EIO);
    mdm_file_hook_set(NULL);
    ck_assert(half);
    ck_assert_str_eq(got(inside("log")), "one\n");
    ck_assert_int_eq(mdm_appender_write(a, "three\n", 6), MASKDM_OK);
    mdm_appender_close(&a);
    ck_assert_str_eq(got(inside("log")), "one\nthree\n");
}
END_TEST

START_TEST(logs_grow_by_whole_lines)
{
    struct failing f = { 1, 0, NULL };
    struct mdm_file_hook hook = { fail_nth, &f };
    struct mdm_appender *a;

    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(mdm_appender_open(&a, inside("log")), MASKDM_OK);
        ck_assert_int_eq(mdm_appender_write(a, "one\n", 4), MASKDM_OK);
        mdm_appender_close(&a);
    }
    mdm_file_hook_set(&hook);
    ck_assert_int_eq(mdm_appender_open(&a, inside("log")), MASKDM_OK);
    ck_assert_int_eq(mdm_appender_write(a, "two\n", 4), MASKDM_EIO);
    ck_assert_int_eq(mdm_appender_write(a, "three\n", 6), MASKDM_OK);
    mdm_appender_close(&a);
    mdm_file_hook_set(NULL);
    ck_assert_str_eq(got(inside("log")), "one\none\nthree\n");
    ck_assert_int_eq(mkfifo(inside("pipe"), 0600), 0);
    ck_assert_int_eq(mdm_appender_open(&a, inside("pipe")), MASKDM_EIO);
    ck_assert_ptr_null(a);
}
END_TEST

START_TEST(folders)
{
    enum mdm_file_kind kind;
    char *path = mdm_path_join("x/", "y");

    ck_assert_str_eq(path, "x/y");
    mdm_free(path);
    path = mdm_path_join("x", "y");
    ck_assert_str_eq(path, "x/y");
    mdm_free(path);
    path = mdm_path_beside("x/z", "y");
    ck_assert_str_eq(path, "x/y");
    mdm_free(path);
    path = mdm_path_beside("/z", "y");
    ck_assert_str_eq(path, "/y");
    mdm_free(path);
    path = mdm_path_beside("z", "y");
    ck_assert_str_eq(path, "y");
    mdm_free(path);
    ck_assert_int_eq(mdm_folder_make(inside("d//e/")), MASKDM_OK);
    ck_assert_int_eq(mdm_folder_make(inside("d/e")), MASKDM_OK);
    ck_assert_int_eq(mdm_file_kind_of(&kind, inside("d/e")), MASKDM_OK);
    ck_assert_int_eq(kind, MDM_FILE_FOLDER);
    ck_assert_int_eq(mdm_file_kind_of(&kind, inside("none/e")), MASKDM_OK);
    ck_assert_int_eq(kind, MDM_FILE_NONE);
    ck_assert_int_eq(put(inside("b"), ""), MASKDM_OK);
    ck_assert_int_eq(put(inside("B"), ""), MASKDM_OK);
    ck_assert_int_eq(put(inside("\xc3\xa9"), ""), MASKDM_OK);
    ck_assert_int_eq(mdm_file_kind_of(&kind, inside("b/x")), MASKDM_OK);    /* below what is no folder */
    ck_assert_int_eq(kind, MDM_FILE_NONE);
    ck_assert_int_eq(symlink("b", inside("a")), 0);
    ck_assert_int_eq(symlink("nowhere", inside("c")), 0);
    ck_assert_str_eq(listed(), "B a b c? d/ \xc3\xa9 ");
    ck_assert_int_lt(mdm_folder_make(inside("b/x")), 0);
    ck_assert_int_lt(mdm_folder_make(inside("b")), 0);
    ck_assert_int_eq(mdm_folder_list(inside("b"), collect, NULL), MASKDM_ENOTFOUND);
    ck_assert_int_eq(mdm_file_remove(inside("none")), MASKDM_OK);
    ck_assert_int_eq(rmdir(inside("d/e")), 0);
}
END_TEST

static void touch(const char *name)
{
    FILE *f = fopen(inside(name), "w");

    ck_assert_ptr_nonnull(f);
    fclose(f);
}

START_TEST(sweep_takes_only_what_dead_writers_left)
{
    char mine[80], dead[80];
    pid_t child = fork();

    if (!child)
        _exit(0);
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    snprintf(mine, sizeof mine, ".m.tmp.%ld.0123456789abcdef", (long)getpid());
    snprintf(dead, sizeof dead, ".m.tmp.%ld.0123456789abcdef", (long)child);
    touch(mine);
    touch(dead);
    touch(".m.tmp.x.0123456789abcdef");
    touch("m.tmp.1.0123456789abcdef");
    touch(".tmp.99999999.abc");
    ck_assert_int_eq(mdm_folder_sweep(folder), MASKDM_OK);
    ck_assert_ptr_null(strstr(listed(), dead));
    ck_assert_ptr_nonnull(strstr(listed(), mine));
    ck_assert_ptr_nonnull(strstr(listed(), ".m.tmp.x.0123456789abcdef .tmp.99999999.abc m.tmp.1.0123456789abcdef "));
}
END_TEST

START_TEST(clock_goes_forward)
{
    double a = mdm_clock(), b;

    usleep(2000);
    b = mdm_clock();
    ck_assert(b - a >= 0.0015 && b - a < 60);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("file");
    TCase *t = tcase_create("file");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, writing_and_reading);
    tcase_add_test(t, long_and_bare_names);
    tcase_add_test(t, old_file_survives_each_failure);
    tcase_add_test(t, failed_write_spoils_the_commit);
    tcase_add_test(t, reading_fails_cleanly);
    tcase_add_test(t, file_size_limit_is_an_error_not_a_signal);
    tcase_add_test(t, file_size_limit_counts_every_piece);
    tcase_add_test(t, half_a_line_is_taken_back);
    tcase_add_test(t, logs_grow_by_whole_lines);
    tcase_add_test(t, folders);
    tcase_add_test(t, sweep_takes_only_what_dead_writers_left);
    tcase_add_test(t, clock_goes_forward);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
