// The program: everything happens in driver/command_line.h.
#include "driver/command_line.h"

int main(int argc, char** argv) {
  return rnnc::run_command_line(argc, argv);
}
