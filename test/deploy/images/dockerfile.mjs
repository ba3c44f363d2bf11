// Runs the steps of a Dockerfile without a daemon: each stage is a copy of the root of its base, each RUN a chroot.
import { spawnSync } from 'node:child_process';
import { cpSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, posix } from 'node:path';

import { DockerfileParser } from 'dockerfile-ast';

import { inRoot } from './isolation.mjs';
import { bases } from './roots.mjs';

/**
 * Builds the image of a Dockerfile.
 *
 * @param file - the Dockerfile
 * @param context - the folder that COPY reads
 * @param work - a folder for the stages
 * @param env - more variables for RUN, as --build-arg gives them
 * @returns the last stage: its root and its configuration
 */
export function build(file, context, work, env = {}) {
  const stages = new Map();
  let stage;
  for (const instruction of DockerfileParser.parse(readFileSync(file, 'utf8')).getInstructions()) {
    const keyword = instruction.getKeyword();
    const words = instruction.getArguments().map((argument) => argument.getValue());
    const json = () => JSON.parse(instruction.getArgumentsContent());
    switch (keyword) {
      case 'FROM':
        stage = begin(instruction.getImage(), join(work, `stage-${stages.size}`));
        stages.set(instruction.getBuildStage() ?? String(stages.size), stage);
        break;
      case 'WORKDIR':
        stage.cwd = posix.resolve(stage.cwd, words[0]);
        mkdirSync(join(stage.root, stage.cwd), { recursive: true });
        break;
      case 'COPY':
        copy(instruction, words, stage, context, stages);
        break;
      case 'RUN':
        runIn(stage, ['/bin/sh', '-c', instruction.getArgumentsContent()], env);
        break;
      case 'ENV':
        for (const property of instruction.getProperties())
          stage.env[property.getName()] = property.getValue();
        break;
      case 'USER':
        stage.user = words[0];
        break;
      case 'CMD':
        stage.command = json();
        break;
      case 'EXPOSE':
        break;
      default:
        throw new Error(`The test does not know ${keyword}`);
    }
  }
  return stage;
}

function begin(image, root) {
  const base = bases[image];
  if (base === undefined) throw new Error(`The test has no base ${image}`);
  const { status, stderr } = spawnSync('cp', ['-a', '--reflink=auto', base.make(), root], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return { root, cwd: '/', env: { ...base.env }, user: base.user, entrypoint: base.entrypoint, command: [] };
}

function copy(instruction, words, stage, context, stages) {
  const from = instruction
    .getFlags()
    .find((flag) => flag.getName() === 'from')
    ?.getValue();
  const source = from === undefined ? context : stages.get(from).root;
  const target = words.at(-1);
  const place = join(stage.root, posix.resolve(stage.cwd, target));
  for (const pattern of words.slice(0, -1)) {
    const [name, ...others] = namesOf(source, pattern);
    if (name === undefined) throw new Error(`COPY finds no ${pattern}`);
    for (const one of [name, ...others]) {
      const isFolder = lstatSync(join(source, one)).isDirectory();
      const to = target.endsWith('/') && !isFolder ? join(place, basename(one)) : place;
      cpSync(join(source, one), to, { recursive: true, verbatimSymlinks: true });
    }
  }
}

/** The names that a pattern with an asterisk matches. */
function namesOf(folder, pattern) {
  if (!pattern.includes('*')) return [pattern];
  const expression = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
  return readdirSync(folder).filter((name) => expression.test(name));
}

function runIn(stage, command, env) {
  const { root, cwd } = stage;
  const [program, ...args] = inRoot(root, command, {
    user: userOf(stage),
    cwd,
    env: { ...stage.env, HOME: '/root', ...env },
  });
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}: ${stdout}${stderr}`);
}

/** The numbers of the user of a stage. */
export function userOf({ root, user }) {
  if (/^\d+$/.test(user)) return `${user}:${user}`;
  const entry = readFileSync(join(root, 'etc/passwd'), 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === user);
  return `${entry[2]}:${entry[3]}`;
}

/** The command that runs an image as `docker run --read-only` does. */
export function runCommand(stage, env = {}) {
  const command = [...stage.entrypoint, ...stage.command];
  return inRoot(stage.root, command, {
    user: userOf(stage),
    isReadOnly: true,
    cwd: stage.cwd,
    env: { ...stage.env, ...env },
  });
}
