#include "base/hash.h"
#include "cli/command.h"
#include "os/random.h"

int main(int argc, char **argv)
{
    hash_seed(random_u64());
    return command_main(argc, argv);
}
