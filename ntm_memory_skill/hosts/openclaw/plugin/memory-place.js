// Where each agent's memory lies. No agent can reach another's: the place follows from the agent that the host names,
// and two agents that share a workspace still have a memory each.
import path from "node:path";

const FILE = "ntm_memory.json";
const AGENT_ID = /^[a-z0-9][a-z0-9_-]*$/i;

/** The `_meta` of a request for an agent: see contract.py. */
export function placeOf(agentId, { config, dataDir, workspaceOf }) {
  if (!AGENT_ID.test(agentId)) throw new TypeError(`no agent can be called ${JSON.stringify(agentId)}`);
  const workspace = path.resolve(workspaceOf(config, agentId));
  return {
    "ntm-memory/file": path.join(folderOf(agentId, workspace, { config, dataDir, workspaceOf }), FILE),
    "ntm-memory/workspace": workspace,
  };
}

function folderOf(agentId, workspace, { config, dataDir, workspaceOf }) {
  if (dataDir) return path.join(path.resolve(dataDir), agentId);
  const agents = Object.keys(config?.agents?.entries ?? {});
  const first = agents.find((id) => path.resolve(workspaceOf(config, id)) === workspace) ?? agentId;
  const home = path.join(workspace, "memory");
  return first === agentId ? home : path.join(home, "agents", agentId);
}
