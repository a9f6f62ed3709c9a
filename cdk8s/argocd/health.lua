-- The health of every kind of metallb.io and heraldlb.io, as Argo CD asks for it: the global `obj` comes in, a table
-- with `status` and `message` goes out. It needs no library but the basic one, so `useOpenLibs` stays off.

-- Written by Herald alone, and without a word about being ready: such an object is well when it is there.
local reports = {
  ServiceL2Status = true,
  ServiceBGPStatus = true,
  PoolSet = true,
  NodeAnnouncement = true,
  AddressProbe = true,
}
if reports[obj.kind] then
  return { status = "Healthy", message = "" }
end

local health = { status = "Progressing", message = "Waiting for the operator" }
local status = obj.status or {}

-- MetalLB's kind has a result of its own beside conditions that are none of kstatus.
if obj.kind == "ConfigurationState" then
  if status.result == "Valid" then
    return { status = "Healthy", message = "" }
  elseif status.result == "Invalid" then
    return { status = "Degraded", message = status.errorSummary or "" }
  end
  return health
end

if status.observedGeneration ~= nil and status.observedGeneration ~= obj.metadata.generation then
  health.message = "Waiting for the operator to see the change"
  return health
end

local found = {}
for _, condition in ipairs(status.conditions or {}) do
  found[condition.type] = condition
end
local function says(condition)
  return (condition.reason or "") .. ": " .. (condition.message or "")
end

if found.Stalled ~= nil and found.Stalled.status == "True" then
  return { status = "Degraded", message = says(found.Stalled) }
end
if found.Ready ~= nil then
  health.message = says(found.Ready)
  if found.Ready.status == "True" and not (found.Reconciling ~= nil and found.Reconciling.status == "True") then
    health.status = "Healthy"
  end
end
return health
