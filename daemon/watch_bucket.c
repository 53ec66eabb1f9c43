#include "daemon/watch_bucket.h"
#include <errno.h>
int watch_bucket_start(const WatchBucketRequest *request, WatchBucketDone done, void *userdata, WatchBucket **ret) { (void)request;(void)done;(void)userdata;(void)ret; return -ENOSYS; }
void watch_bucket_cancel(WatchBucket *watch) { (void)watch; }
