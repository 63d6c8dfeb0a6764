/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a walk through a folder finds, what it leaves out and says, and what its digest depends on.
 */
#include "data/source.h"

#include "base/alloc.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char root[64], lines[8192];
static struct mdm_log log_lines;

/* Warnings stand as they are, others with their level before them. */
static void hear(void *user, int level, const char *line)
{
    size_t n = strlen(lines);

    (void)user;
    if (level == MASKDM_LOG_WARN)
        snprintf(lines + n, sizeof lines - n, "%s\n", line);
    else
        snprintf(lines + n, sizeof lines - n, "%d %s\n", level, line);
}

static void begin(void)
{
    strcpy(root, "unit_scan_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    ck_assert_int_eq(chdir(root), 0);
    ck_assert_int_eq(mkdir("data", 0777), 0);
    log_lines.call = hear;
    *lines = '\0';
}

static void end(void)
{
    char command[128];

    mdm_file_hook_set(NULL);
    ck_assert_int_eq(chdir(".."), 0);
    snprintf(command, sizeof command, "rm -rf ./%s", root);
    ck_assert_int_eq(system(command), 0);
}

static void make(const char *path, const char *text)
{
    char folder[256];
    FILE *f;

    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
        (void)mkdir(folder, 0777);
    }
    f = fopen(path, "w");
    ck_assert_msg(f != NULL, "%s: %s", path, strerror(errno));
    fputs(text, f);
    fclose(f);
}

/* The names and labels found, "a.png:-1 b/c.jpg:0"; or the error. */
static const char *found(const char *path, const struct mdm_scan_except *except)
{
    static char text[2048];
    struct mdm_scan s;
    size_t n = 0;

    *text = *lines = '\0';
    if (mdm_scan_folder(&s, path, except, &log_lines, NULL) < 0)
        return mdm_error_text();
    for (int64_t i = 0; i < s.count; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s:%d", i ? " " : "", mdm_scan_name(&s, i),
                              (int)s.file[i].label);
    mdm_scan_free(&s);
    return text;
}

static int said(const char *line)
{
    const char *at = strstr(lines, line);

    return at && (at == lines || at[-1] == '\n') && at[strlen(line)] == '\n';
}

START_TEST(names_of_images)
{
    static const char *const name[] = {"a.png", "b.PNG", "c.jpg", "d.JPEG", "e.jfif", "f.JFIF", "g.jpe", "h.Jpe",
                                       "i.pngx", "png", ".png", "j.txt"};
    char path[64];

    for (size_t i = 0; i < MDM_LENGTH(name); i++) {
        snprintf(path, sizeof path, "data/%s", name[i]);
        make(path, "x");
    }
    ck_assert_str_eq(found("data", NULL),
                     "a.png:-1 b.PNG:-1 c.jpg:-1 d.JPEG:-1 e.jfif:-1 f.JFIF:-1 g.jpe:-1 h.Jpe:-1");
    ck_assert_str_eq(lines, "");
}
END_TEST

START_TEST(each_kind_is_one_line)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "data/s.png"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), told = 0;

    make("data/good.png", "x");
    ck_assert_int_eq(symlink("/gone/x.png", "data/x.png"), 0);
    ck_assert_int_eq(symlink("nowhere", "data/class"), 0);
    ck_assert_int_eq(symlink("turn.png", "data/turn.png"), 0);
    ck_assert_int_eq(mkfifo("data/p.png", 0666), 0);
    ck_assert_int_eq(mkfifo("data/pipe", 0666), 0); /* nobody would take it for an image */
    ck_assert_int_eq(symlink("/dev/null", "data/null.png"), 0);
    ck_assert(fd >= 0 && !bind(fd, (struct sockaddr *)&address, sizeof address));
    close(fd);
    make("data/a.tiff", "x");
    make("data/b.Tiff", "x");
    make("data/sub/c.tiff", "x");
    make("data/moving.gif", "x");
    make("data/._good.png", "x");
    make("data/.git/y.png", "x");
    ck_assert_int_eq(symlink("..", "data/sub/up"), 0);
    ck_assert_str_eq(found("data", NULL), "good.png:-1");
    ck_assert_msg(said("left out: 2 broken links, the first data/class"), "%s", lines);
    ck_assert_msg(said("left out: 1 link that leads in a circle, data/turn.png"), "%s", lines);
    ck_assert_msg(said("left out: 1 FIFO, data/p.png"), "%s", lines);
    ck_assert_msg(said("left out: 1 socket, data/s.png"), "%s", lines);
    ck_assert_msg(said("left out: 1 device, data/null.png"), "%s", lines);
    ck_assert_msg(said("left out: 3 .tiff files, a format that is not read, the first data/a.tiff"), "%s", lines);
    ck_assert_msg(said("left out: 1 .gif file, a format that is not read, data/moving.gif"), "%s", lines);
    ck_assert_msg(said("left out: 1 folder that leads back to one above it, data/sub/up"), "%s", lines);
    ck_assert_msg(said("1 left out: 1 hidden image, data/._good.png"), "%s", lines);
    for (const char *at = lines; *at; at++)
        told += *at == '\n';
    ck_assert_int_eq(told, 9);
}
END_TEST

/* The operations of `user` fail with its reason where the path ends in its name. */
struct refusal {
    const char *operation, *end;
    int reason;
};

static int refuse(void *user, const char *operation, const char *path)
{
    const struct refusal *r = user;
    size_t n = strlen(path), k = strlen(r->end);

    return !strcmp(operation, r->operation) && n >= k && !strcmp(path + n - k, r->end) ? r->reason : 0;
}

START_TEST(what_cannot_be_reached_is_left_out)
{
    static const struct {
        struct refusal refusal;
        const char *found, *line;
    } row[] = {
        {{"list", "lost+found", EACCES}, "a/0.png:0 z/1.png:1",
         "left out: 1 unreadable folder, data/lost+found: Permission denied"},
        {{"stat", "lost+found", EACCES}, "a/0.png:0 z/1.png:1",
         "left out: 1 unreadable folder, data/lost+found: Permission denied"},
        {{"list", "lost+found", EIO}, "a/0.png:0 z/1.png:1",
         "left out: 1 unreadable folder, data/lost+found: Input/output error"},
        {{"list", "lost+found", ENAMETOOLONG}, "a/0.png:0 z/1.png:1",
         "left out: 1 unreadable folder, data/lost+found: File name too long"},
        {{"stat", "2.png", EACCES}, "a/0.png:0 z/1.png:1",
         "left out: 2 files that cannot be reached, the first data/lost+found/2.png: Permission denied"},
        {{"stat", "2.png", ENAMETOOLONG}, "a/0.png:0 z/1.png:1",
         "left out: 2 paths that are too long, the first data/lost+found/2.png"},
        {{"list", "/a", EACCES}, "lost+found/2.png:0 z/1.png:1 z/12.png:1",
         "left out: 1 unreadable folder, data/a: Permission denied"},
        {{"list", "data", EACCES}, "cannot list data: Permission denied", ""},
        {{"list", "data", EIO}, "cannot list data: Input/output error", ""},
        {{"list", "lost+found", EMFILE}, "cannot list data/lost+found: Too many open files", ""},
        {{"stat", "2.png", ENFILE}, "cannot stat data/lost+found/2.png: Too many open files in system", ""},
    };

    make("data/a/0.png", "x");
    make("data/lost+found/2.png", "x");
    make("data/z/1.png", "x");
    for (size_t i = 0; i < MDM_LENGTH(row); i++) {
        struct mdm_file_hook hook = {refuse, (void *)&row[i].refusal};

        if (i == 4)
            make("data/z/12.png", "x");
        mdm_file_hook_set(&hook);
        ck_assert_str_eq(found("data", NULL), row[i].found);
        ck_assert_msg(*row[i].line ? said(row[i].line) : !*lines, "%s\n%s", row[i].line, lines);
    }
}
END_TEST

START_TEST(deep_and_long)
{
    char path[8192], up[16];
    int n;

    make("data/good.png", "x");
    ck_assert_int_eq(chdir("data"), 0);
    for (n = 0; n < 100; n++) {
        ck_assert(!mkdir("d", 0777) && !chdir("d"));
        if (n == 62 || n == 63) /* in the last that is entered, and one below */
            make("in.png", "x");
    }
    for (; n >= 0; n--)
        ck_assert_int_eq(chdir(".."), 0);
    strcpy(path, found("data", NULL));
    ck_assert_ptr_nonnull(strstr(path, "d/in.png:0"));
    ck_assert_ptr_nonnull(strstr(path, "good.png:-1"));
    ck_assert_ptr_null(strchr(path, ' ') ? strchr(strchr(path, ' ') + 1, ' ') : NULL);
    ck_assert_ptr_nonnull(strstr(lines, "left out: 1 folder too deep inside others, data/d/d/"));

    /* Names of 200 bytes: a path of more than 4096 without being too deep. */
    memset(path, 'n', 200);
    path[200] = '\0';
    snprintf(up, sizeof up, "%s", "..");
    ck_assert_int_eq(chdir("data"), 0);
    for (n = 0; n < 25; n++)
        ck_assert(!mkdir(path, 0777) && !chdir(path));
    make("far.png", "x");
    for (; n >= 0; n--)
        ck_assert_int_eq(chdir(up), 0);
    ck_assert_ptr_nonnull(strstr(found("data", NULL), "good.png:-1"));
    ck_assert_ptr_nonnull(strstr(lines, "left out: 1 unreadable folder, data/nnn"));
}
END_TEST

START_TEST(folders_of_runs_and_exceptions)
{
    struct mdm_scan_except except[3] = {{.what = "the folder of this run"}, {.what = "the held-out images"}};

    make("data/a/0.png", "x");
    make("data/b/options.json", "{}"); /* not by itself a run */
    make("data/b/0.png", "x");
    make("data/c/options.json/x", ""); /* nor with a folder of this name */
    make("data/c/log.jsonl", "");
    make("data/c/0.png", "x");
    make("data/old/options.json", "{}");
    make("data/old/log.jsonl", "");
    make("data/old/samples-1.png", "x");
    make("data/run/samples-1.png", "x");
    make("elsewhere/0.png", "x");
    ck_assert_int_eq(symlink("../elsewhere", "data/val"), 0);
    ck_assert_int_eq(mdm_folder_id(&except[0].id, "./data/../data/run/"), MASKDM_OK);
    ck_assert_int_eq(mdm_folder_id(&except[1].id, "elsewhere"), MASKDM_OK);
    ck_assert_str_eq(found("data", except), "a/0.png:0 b/0.png:1 c/0.png:2");
    ck_assert(said("left out: 1 folder of a run, data/old"));
    ck_assert(said("left out: data/run, the folder of this run"));
    ck_assert(said("left out: data/val, the held-out images"));
    ck_assert_str_eq(found("data/old", NULL), "samples-1.png:-1"); /* what is asked for by name is taken */
}
END_TEST

START_TEST(nothing_left)
{
    ck_assert_str_eq(found("data", NULL), "no PNG, JPEG or WebP file below \"data\"");
    make("data/a.tiff", "x");
    make("data/b.tiff", "x");
    make("data/c.gif", "x");
    ck_assert_str_eq(found("data", NULL), "no PNG, JPEG or WebP file below \"data\", but 2 .tiff files, a format "
                                          "that is not read, the first data/a.tiff");
    make("even/a.gif", "x");
    make("even/b.tiff", "x");
    ck_assert_str_eq(found("even", NULL), "no PNG, JPEG or WebP file below \"even\", but 1 .gif file, a format "
                                          "that is not read, even/a.gif");
    ck_assert_str_eq(found("none", NULL), "cannot find none: No such file or directory");
}
END_TEST

static uint64_t digest_of(const char *path)
{
    struct mdm_scan s;
    uint64_t digest;

    ck_assert_int_eq(mdm_scan_folder(&s, path, NULL, NULL, NULL), MASKDM_OK);
    ck_assert_int_eq(mdm_scan_mark_all(&s, NULL), MASKDM_OK);
    digest = s.digest;
    mdm_scan_free(&s);
    return digest;
}

START_TEST(the_digest_is_of_names_sizes_ends_and_labels)
{
    char absolute[512];
    uint64_t first;

    make("data/a/0.png", "12");
    make("data/b/1.png", "345");
    first = digest_of("data");
    ck_assert(getcwd(absolute, sizeof absolute - 8) != NULL);
    strcat(absolute, "/data");
    ck_assert_int_eq(symlink("data", "link"), 0);
    ck_assert(digest_of("data/") == first && digest_of("data//") == first && digest_of("./data") == first);
    ck_assert(digest_of(absolute) == first && digest_of("link") == first && digest_of("link/") == first);
    ck_assert(!rename("data", "moved") && !utimensat(-100, "moved/a/0.png", NULL, 0) && digest_of("moved") == first);
    make("moved/b/1.png", "543");
    ck_assert(digest_of("moved") != first);
    make("moved/b/1.png", "3456");
    ck_assert(digest_of("moved") != first);
    make("moved/b/1.png", "345");
    ck_assert(!rename("moved/b/1.png", "moved/b/2.png") && digest_of("moved") != first);
    ck_assert(!rename("moved/b/2.png", "moved/b/1.png") && digest_of("moved") == first);
    make("moved/aa/0.png", "1");
    ck_assert(digest_of("moved") != first);
}
END_TEST

/* The last 4096 bytes count, those before them do not; what cannot be read has no mark. */
START_TEST(marks)
{
    struct mdm_scan s, one = {.kind = &mdm_folder_source};
    char text[6001];
    struct refusal refusal = {"open", "0.png", EACCES};
    struct mdm_file_hook hook = {refuse, &refusal};
    uint64_t first, other;

    memset(text, 'x', 6000);
    text[6000] = '\0';
    make("data/0.png", text);
    ck_assert_int_eq(mdm_scan_add(&one, mdm_strdup("data/0.png"), 6000, -1, 0), MASKDM_OK);
    ck_assert_int_eq(mdm_scan_add(&one, mdm_strdup("data/empty.png"), 0, -1, 0), MASKDM_OK);
    ck_assert_int_eq(mdm_scan_mark(&first, &one, 0), MASKDM_OK);
    for (int at = 6000 - 4097; at <= 6000 - 4096; at++) {
        text[at] = 'y';
        make("data/0.png", text);
        ck_assert_int_eq(mdm_scan_mark(&other, &one, 0), MASKDM_OK);
        ck_assert((other == first) == (at == 6000 - 4097));
    }
    one.file[0].bytes = 7000; /* it became shorter meanwhile */
    ck_assert_int_eq(mdm_scan_mark(&other, &one, 0), MASKDM_OK);
    one.file[0].bytes = 6000;
    ck_assert(other == 0);
    make("data/empty.png", "");
    ck_assert(mdm_scan_mark(&other, &one, 1) == MASKDM_OK && other != 0);
    mdm_file_hook_set(&hook);
    ck_assert(mdm_scan_mark(&other, &one, 0) == MASKDM_OK && other == 0);
    refusal.reason = EMFILE;
    ck_assert_int_eq(mdm_scan_folder(&s, "data", NULL, NULL, NULL), MASKDM_OK);
    ck_assert_int_eq(mdm_scan_mark_all(&s, NULL), MASKDM_ENOMEM);
    ck_assert_str_eq(mdm_error_text(), "cannot open data/0.png: Too many open files");
    mdm_scan_free(&s);
    mdm_scan_free(&one);
}
END_TEST

START_TEST(broken_files_go_behind)
{
    struct mdm_scan s;

    make("data/0.png", "x");
    make("data/1.png", "x");
    make("data/2.png", "x");
    ck_assert_int_eq(mdm_scan_folder(&s, "data/", NULL, NULL, NULL), MASKDM_OK);
    s.file[1].left_out = 1;
    mdm_scan_settle(&s);
    ck_assert(s.count == 2 && s.broken == 1);
    ck_assert_str_eq(mdm_scan_name(&s, 1), "2.png");
    ck_assert_str_eq(mdm_scan_name(&s, 2), "1.png");
    mdm_scan_free(&s);
    ck_assert_int_eq(mdm_alloc_live(), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("scan");
    TCase *t = tcase_create("scan");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, names_of_images);
    tcase_add_test(t, each_kind_is_one_line);
    tcase_add_test(t, what_cannot_be_reached_is_left_out);
    tcase_add_test(t, deep_and_long);
    tcase_add_test(t, folders_of_runs_and_exceptions);
    tcase_add_test(t, nothing_left);
    tcase_add_test(t, the_digest_is_of_names_sizes_ends_and_labels);
    tcase_add_test(t, marks);
    tcase_add_test(t, broken_files_go_behind);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}
